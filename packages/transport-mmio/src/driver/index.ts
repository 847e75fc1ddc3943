export type { MmioDriverAccess } from './mmio-driver-access.ts';
export type { MmioDriverTransport } from './mmio-driver-transport.ts';
export { createMmioDriverTransport } from './mmio-driver-transport.ts';
