/** ObservedVirtqueue: a device's queue whose buffers an observer sees taken and used. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DescriptorChain, Virtqueue } from '../ring/virtqueue.ts';
import type { QueueObserver } from './queue-observer.ts';

/** Stands before the ring only where there is an observer, so that no other device pays for it. */
export class ObservedVirtqueue implements Virtqueue {
  readonly #ring: Virtqueue;
  readonly #observer: QueueObserver;

  constructor(ring: Virtqueue, observer: QueueObserver) {
    this.#ring = ring;
    this.#observer = observer;
  }

  get index(): number {
    return this.#ring.index;
  }

  get size(): number {
    return this.#ring.size;
  }

  get memory(): GuestMemory {
    return this.#ring.memory;
  }

  get broken(): boolean {
    return this.#ring.broken;
  }

  get isInPlace(): boolean {
    return this.#ring.isInPlace;
  }

  pop(chain: DescriptorChain): boolean {
    const isTaken = this.#ring.pop(chain);
    if (isTaken) this.#observer.taken(this.index, chain.head);
    else this.#observer.ranEmpty(this.index);
    return isTaken;
  }

  pushUsed(head: number, length: number): void {
    this.#ring.pushUsed(head, length);
    this.#tell(head);
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    this.#ring.pushUsedTogether(heads, lengths, count);
    for (let index = 0; index < count; index += 1) this.#tell(heads[index]!);
  }

  shouldInterrupt(): boolean {
    return this.#ring.shouldInterrupt();
  }

  disableNotifications(): void {
    this.#ring.disableNotifications();
  }

  enableNotifications(): boolean {
    const hasMore = this.#ring.enableNotifications();
    // One that has taken as many buffers as it may at once does not look for another.
    if (!hasMore) this.#observer.ranEmpty(this.index);
    return hasMore;
  }

  /** What is pushed into a queue that the driver broke or took back goes nowhere. */
  #tell(head: number): void {
    if (!this.broken) this.#observer.used(this.index, head);
  }
}
