export type { MmioSelections } from './control-registers.ts';
export type { MmioDevice, MmioHost } from './mmio-device.ts';
export type { MmioInterruptsSnapshot } from './mmio-interrupts.ts';
export type {
  VirtioMmioDevice,
  VirtioMmioDeviceOptions,
  VirtioMmioSnapshot,
} from './virtio-mmio-device.ts';
export { createVirtioMmioDevice } from './virtio-mmio-device.ts';
