export type { DriverTransport, QueueAddresses } from './driver-transport.ts';
export type { InitializeOptions } from './initialize-device.ts';
export { initializeDevice } from './initialize-device.ts';
export type {
  BufferSegment,
  SplitDriverQueueOptions,
  SplitQueueLayout,
  UsedBuffer,
} from './split-driver-queue.ts';
export { SplitDriverQueue, splitQueueLayout } from './split-driver-queue.ts';
