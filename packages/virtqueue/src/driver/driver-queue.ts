/** The contract DriverQueue: the driver's side of one queue, whatever the ring's format. Types and docs only. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { QueueAddresses } from './driver-transport.ts';

/** A buffer, or a part of one, as the device will address it. */
export interface BufferSegment {
  readonly address: number;
  /** Bytes. */
  readonly length: number;
}

/** Where an indirect table is: 16 bytes for each segment of the buffer. */
export interface IndirectTable {
  /** As the driver sees it. */
  readonly address: number;
  /** As the device will address it. */
  readonly deviceAddress: number;
}

/** Filled by {@link DriverQueue.takeUsed}. */
export interface UsedBuffer {
  /** What was given to `add`. */
  token: number;
  /** Bytes that the device wrote. */
  length: number;
}

/** Where a queue is to be made. */
export interface DriverQueuePlace {
  /** Number of descriptors: a power of two for a split queue, up to 32768 for either. */
  readonly size: number;
  /** The memory in which the driver itself sees the queue. */
  readonly memory: GuestMemory;
  /** Address of the queue in `memory`, a multiple of 16; all of it lies in one run. */
  readonly address: number;
  /** The address by which the device knows it; the same by default. */
  readonly deviceAddress?: number;
}

/** A queue in memory, and what was negotiated for it. */
export interface DriverQueueOptions extends DriverQueuePlace {
  /** VIRTIO_F_EVENT_IDX. */
  readonly eventIdx: boolean;
  /** VIRTIO_F_NOTIFICATION_DATA; false by default. */
  readonly notificationData?: boolean;
  /** VIRTIO_F_INDIRECT_DESC; false by default. */
  readonly indirect?: boolean;
}

export interface DriverQueue {
  /** Number of descriptors. */
  readonly size: number;
  /** Descriptors that are not in use. */
  readonly freeCount: number;
  /** What the transport is to be told of it. */
  readonly addresses: QueueAddresses;
  /**
   * With VIRTIO_F_NOTIFICATION_DATA what goes along with a kick: next_off in bits 0 to 14, next_wrap in bit 15 ("Driver
   * Notifications"). Undefined without that feature.
   */
  readonly next: number | undefined;

  /**
   * Makes a buffer available; the device sees it at once, and is told by a kick if {@link shouldNotify} says so.
   *
   * @param token a number that {@link takeUsed} gives back
   * @returns false when there are not enough free descriptors
   * @throws VirtioError `EMPTY_BUFFER` without a segment, `BUFFER_LENGTH` beyond 2^32 bytes
   */
  add(
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean;

  /**
   * As {@link add}, with one descriptor for the whole buffer (VIRTIO_F_INDIRECT_DESC).
   *
   * @param table is filled; to be left alone until the buffer is back
   * @throws VirtioError as {@link add}; `NO_INDIRECT_DESC` when that was not negotiated, `TABLE_LENGTH` for more segments than
   * the queue has descriptors
   */
  addIndirect(
    table: IndirectTable,
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean;

  /** Whether the device wants a kick for what was added since the last call. */
  shouldNotify(): boolean;

  /**
   * Takes the next used buffer.
   *
   * @returns false when there is none
   * @throws VirtioError `USED_ELEMENT` when the device gives back what was not available
   */
  takeUsed(out: UsedBuffer): boolean;

  /** Asks the device for an interrupt per buffer, or for none. */
  enableInterrupts(enabled: boolean): void;
}
