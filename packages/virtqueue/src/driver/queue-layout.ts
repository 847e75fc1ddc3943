/** Where the areas of a queue lie in one run of memory, for both layouts. */
import { VirtioError } from '../error.ts';
import { outsideMemory } from './descriptor-writer.ts';
import type { DriverQueuePlace } from './driver-queue.ts';
import type { QueueAddresses } from './driver-transport.ts';

/** Offsets of the areas from the start of the run, and how long it must be; all in bytes. */
export interface QueueLayout {
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  readonly length: number;
}

/** Of the descriptor area, which comes first; the others are aligned behind it. */
const ALIGNMENT = 16;

/** The areas as the device will address them. @throws VirtioError `RING_ALIGNMENT` */
export function queueAddresses(place: DriverQueuePlace, layout: QueueLayout): QueueAddresses {
  const start = place.deviceAddress ?? place.address;
  if (start % ALIGNMENT !== 0) {
    throw new VirtioError('RING_ALIGNMENT', `a queue at 0x${start.toString(16)}: align it to 16`);
  }
  return {
    size: place.size,
    descriptorArea: start + layout.descriptorArea,
    driverArea: start + layout.driverArea,
    deviceArea: start + layout.deviceArea,
  };
}

/** @throws VirtioError `QUEUE_SIZE` unless the layout has such a size */
export function checkQueueSize(size: number, isPossible: boolean): void {
  if (isPossible && Number.isInteger(size)) return;
  throw new VirtioError(
    'QUEUE_SIZE',
    `a queue of ${size}: choose up to 32768, and for a split queue a power of two`,
  );
}

/** @throws VirtioError `RING_MEMORY` when there is no memory */
export function clearQueue({ memory, address }: DriverQueuePlace, { length }: QueueLayout): void {
  if (!memory.write(address, new Uint8Array(length), 0, length)) throw outsideMemory();
}

/** What a device did wrong that gives back a buffer which it does not have. */
export function wrongBuffer(id: number): VirtioError {
  return new VirtioError('USED_ELEMENT', `the device used buffer ${id}, which it was not given`);
}
