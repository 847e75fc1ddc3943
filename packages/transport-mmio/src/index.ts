export type { MmioDevice, MmioHost } from './mmio-device.ts';
export type { VirtioMmioDevice, VirtioMmioDeviceOptions } from './virtio-mmio-device.ts';
export { createVirtioMmioDevice } from './virtio-mmio-device.ts';
