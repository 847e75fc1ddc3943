export { InProcessBus } from './bus/in-process-bus.ts';
export type { InProcessDriver, InProcessTransport } from './bus/in-process-transport.ts';
export { MMIO_TRANSPORT, PCI_TRANSPORT } from './bus/in-process-transport.ts';
export type { DiskParts, DiskSummary } from './disk/disk-scenario.ts';
export { DISK_MACHINE, playDisk } from './disk/disk-scenario.ts';
export { memoryDiskParts } from './disk/memory-disk-parts.ts';
export type { PassThroughSummary } from './pass-through/pass-through-scenario.ts';
export { PASS_THROUGH_MACHINE, playPassThrough } from './pass-through/pass-through-scenario.ts';
export type * from './scenario-teller.ts';
