export type { Disk } from './block/disk.ts';
export { MemoryDisk } from './block/memory-disk.ts';
export type { VirtioBlockDeviceOptions } from './block/virtio-block-device.ts';
export { VirtioBlockDevice } from './block/virtio-block-device.ts';
export type { DmaEngineOptions } from './dma-engine/dma-engine-function.ts';
export { DmaEngineFunction } from './dma-engine/dma-engine-function.ts';
export type { VirtioEntropyDeviceOptions } from './entropy/virtio-entropy-device.ts';
export { VirtioEntropyDevice } from './entropy/virtio-entropy-device.ts';
