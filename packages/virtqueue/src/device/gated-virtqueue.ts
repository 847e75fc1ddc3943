/** GatedVirtqueue: a device's queue whose buffers somebody else holds back. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DescriptorChain, Virtqueue } from '../ring/virtqueue.ts';
import type { QueueGate } from './queue-gate.ts';

/** Stands before the ring, and before its observer, only where there is a gate. */
export class GatedVirtqueue implements Virtqueue {
  readonly #queue: Virtqueue;
  readonly #gate: QueueGate;
  readonly #onHeld: () => void;

  /** @param onHeld the device was told that the queue is empty, whatever is in it */
  constructor(queue: Virtqueue, gate: QueueGate, onHeld: () => void) {
    this.#queue = queue;
    this.#gate = gate;
    this.#onHeld = onHeld;
  }

  get index(): number {
    return this.#queue.index;
  }

  get size(): number {
    return this.#queue.size;
  }

  get memory(): GuestMemory {
    return this.#queue.memory;
  }

  get broken(): boolean {
    return this.#queue.broken;
  }

  get isInPlace(): boolean {
    return this.#queue.isInPlace;
  }

  pop(chain: DescriptorChain): boolean {
    if (!this.#gate.mayTake(this.index)) {
      this.#onHeld();
      return false;
    }
    const isTaken = this.#queue.pop(chain);
    if (isTaken) this.#gate.taken(this.index);
    return isTaken;
  }

  pushUsed(head: number, length: number): void {
    this.#queue.pushUsed(head, length);
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    this.#queue.pushUsedTogether(heads, lengths, count);
  }

  shouldInterrupt(): boolean {
    return this.#queue.shouldInterrupt();
  }

  disableNotifications(): void {
    this.#queue.disableNotifications();
  }

  /** A device that is told of buffers which it may not take would look for them for ever. */
  enableNotifications(): boolean {
    const hasMore = this.#queue.enableNotifications();
    if (!hasMore || this.#gate.mayTake(this.index)) return hasMore;
    this.#onHeld();
    return false;
  }
}
