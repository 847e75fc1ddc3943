/** createDriverQueue: the driver's side of whichever layout was negotiated. */
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_NOTIFICATION_DATA,
  VIRTIO_F_RING_PACKED,
} from '../device/constants.ts';
import type { DriverQueue, DriverQueuePlace } from './driver-queue.ts';
import { PackedDriverQueue, packedQueueLayout } from './packed-driver-queue.ts';
import { SplitDriverQueue, splitQueueLayout } from './split-driver-queue.ts';

/** The features that a {@link DriverQueue} follows by itself: a driver adds them to those that it asks for. */
export const DRIVER_QUEUE_FEATURES =
  VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED | VIRTIO_F_NOTIFICATION_DATA;

export interface CreateDriverQueueOptions extends DriverQueuePlace {
  /** The features that were agreed on, as a mask. */
  readonly features: bigint;
}

/** Bytes of memory that a queue takes. */
export function driverQueueLength(features: bigint, size: number): number {
  return (isPacked(features) ? packedQueueLayout(size) : splitQueueLayout(size)).length;
}

/**
 * Makes an empty queue in memory of {@link driverQueueLength} bytes.
 *
 * @throws VirtioError `RING_MEMORY` when that is not in memory, `QUEUE_SIZE` when the layout has no such size, `RING_ALIGNMENT`
 */
export function createDriverQueue(options: CreateDriverQueueOptions): DriverQueue {
  const { features, ...place } = options;
  const queue = {
    ...place,
    eventIdx: (features & VIRTIO_F_EVENT_IDX) !== 0n,
    indirect: (features & VIRTIO_F_INDIRECT_DESC) !== 0n,
    notificationData: (features & VIRTIO_F_NOTIFICATION_DATA) !== 0n,
  };
  return isPacked(features) ? new PackedDriverQueue(queue) : new SplitDriverQueue(queue);
}

function isPacked(features: bigint): boolean {
  return (features & VIRTIO_F_RING_PACKED) !== 0n;
}
