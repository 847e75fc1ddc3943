export type { CreateDriverQueueOptions } from './create-driver-queue.ts';
export {
  createDriverQueue,
  DRIVER_QUEUE_FEATURES,
  driverQueueLength,
} from './create-driver-queue.ts';
export type {
  BufferSegment,
  DriverQueue,
  DriverQueuePlace,
  IndirectTable,
  UsedBuffer,
} from './driver-queue.ts';
export type { DriverTransport, QueueAddresses } from './driver-transport.ts';
export type { InitializeOptions } from './initialize-device.ts';
export { initializeDevice } from './initialize-device.ts';
export { readStableConfig } from './read-stable-config.ts';
