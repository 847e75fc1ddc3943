export type { AccessWidth } from './device/virtio-device.ts';
export { VirtioError } from './error.ts';
export type { Logger } from './logger.ts';
export { silentLogger } from './logger.ts';
export type { GuestMemory, MemoryWindow } from './memory/guest-memory.ts';
export {
  ACCESS_READ,
  ACCESS_WRITE,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from './memory/guest-memory.ts';
export type { ChainHandler, DescriptorChain, Virtqueue } from './ring/virtqueue.ts';
export { CHAIN_KEPT } from './ring/virtqueue.ts';
