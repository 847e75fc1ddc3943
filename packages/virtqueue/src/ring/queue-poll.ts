/** QueuePoll: whether a queue that ran empty is looked at again, or the driver asked for a kick. */
import type { Virtqueue } from './virtqueue.ts';

// In Node.js and in browsers alike.
declare const performance: { now(): number };

/**
 * Polls while it pays: when the buffers that came last were not waited for longer than a queue is polled, the next ones are
 * expected as soon. After a longer pause the driver is asked for kicks at once, so a queue that is used now and then costs
 * nothing, and one that falls silent costs the longest time once.
 */
export class QueuePoll {
  readonly #longest: number;
  /** When buffers were used last. */
  #lastWork = Number.NEGATIVE_INFINITY;
  #goesOn = false;

  /** @param longestMicroseconds after its last buffer a queue is polled no longer; 0 is never */
  constructor(longestMicroseconds: number) {
    this.#longest = longestMicroseconds / 1000;
  }

  /**
   * To be asked whenever the queue has run empty.
   *
   * @param queue not polled where a look at it costs as much as a kick
   * @param worked whether buffers were used since the last time
   * @returns true when the queue is to be looked at again soon, and no kick is asked for
   */
  goesOn({ isInPlace }: Pick<Virtqueue, 'isInPlace'>, worked: boolean): boolean {
    if (this.#longest === 0 || !isInPlace || (!worked && !this.#goesOn)) return false;
    const now = performance.now();
    this.#goesOn = now - this.#lastWork < this.#longest;
    if (worked) this.#lastWork = now;
    return this.#goesOn;
  }
}
