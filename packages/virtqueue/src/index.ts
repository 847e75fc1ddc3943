export type { AccessWidth } from './device/virtio-device.ts';
export { VirtioError } from './error.ts';
export { LimitedLog } from './limited-log.ts';
export type { Logger } from './logger.ts';
export { silentLogger } from './logger.ts';
export type { ArrayGuestMemoryOptions, ArrayRegion } from './memory/array-guest-memory.ts';
export { ArrayGuestMemory, createMemoryWindow } from './memory/array-guest-memory.ts';
export { type ByteViews, viewBytes } from './memory/byte-views.ts';
export type {
  GuestMemory,
  MappedMemory,
  MemoryRegion,
  MemoryWindow,
} from './memory/guest-memory.ts';
export {
  ACCESS_READ,
  ACCESS_WRITE,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from './memory/guest-memory.ts';
export { joinLe64, readLe64, writeLe64 } from './memory/le64.ts';
export { readChain, writeChain } from './ring/chain-io.ts';
export { createDescriptorChain } from './ring/descriptor-chain.ts';
export type { VirtqueueOptions } from './ring/device-ring.ts';
export { type DrainOptions, drainQueue } from './ring/drain-queue.ts';
export { PackedVirtqueue } from './ring/packed-virtqueue.ts';
export { QueuePoll } from './ring/queue-poll.ts';
export type {
  NotificationWish,
  PackedRingState,
  RingState,
  SplitRingState,
} from './ring/ring-state.ts';
export { SplitVirtqueue } from './ring/split-virtqueue.ts';
export type { ChainHandler, DescriptorChain, Virtqueue } from './ring/virtqueue.ts';
export { CHAIN_KEPT } from './ring/virtqueue.ts';
