/** The contract QueueObserver: how to look at the queues of a device, and to see what becomes of buffers. Types and docs only. */
import type { RingState } from '../ring/ring-state.ts';

/** A queue as the device sees it. */
export interface QueueState {
  /** Number of descriptors, as the driver chose it. */
  readonly size: number;
  readonly enabled: boolean;
  /** Addresses as the driver wrote them, in the device's view of memory: translated when it is behind an IOMMU. */
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  /** It was kicked, or its device asked to be called, and the device was not called yet. */
  readonly kicked: boolean;
  /** undefined while the device cannot use the queue. */
  readonly ring: RingState | undefined;
  /** The heads (split) or buffer IDs (packed) that the device keeps between its calls, in the order in which it took them. */
  readonly kept: readonly number[];
}

/** Whose queues can be looked at. */
export interface QueueSource {
  /** Of each queue, by its index. Nothing is read from memory, and nothing changes by it; to be called at any time. */
  queueStates(): readonly QueueState[];
}

/**
 * Called in line, so an observer must be quick, must not throw, and must not call back into the device. A device without one
 * pays a comparison for each kick, and nothing for a buffer.
 */
export interface QueueObserver {
  /** The device is about to be put on a bus, with these queues. */
  attached(queues: QueueSource): void;
  /** The device can use the queue from now on; of what it had of the queue before nothing comes back. */
  started(queue: number, size: number): void;
  /** The driver kicked a queue that the device can use. */
  kicked(queue: number): void;
  /** The device took a buffer. */
  taken(queue: number, head: number): void;
  /** The device looked for a buffer, or asked for kicks again, and there was none. */
  ranEmpty(queue: number): void;
  /** The device gave a buffer back. */
  used(queue: number, head: number): void;
}
