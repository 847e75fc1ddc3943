/** QueuePoll: whether a queue that ran empty is looked at again, or the driver asked for a kick. */
import { VirtioError } from '../error.ts';
import type { Virtqueue } from './virtqueue.ts';

// In Node.js and in browsers alike.
declare const performance: { now(): number };

/** A second: a thread that looks for longer at a queue that is silent might as well never sleep. */
const LONGEST_MICROSECONDS = 1_000_000;

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

  /**
   * @param longestMicroseconds after its last buffer a queue is polled no longer; 0 is never
   * @throws VirtioError `POLL_MICROSECONDS` when it is not 0 to 1,000,000
   */
  constructor(longestMicroseconds: number) {
    if (!(longestMicroseconds >= 0 && longestMicroseconds <= LONGEST_MICROSECONDS)) {
      throw new VirtioError(
        'POLL_MICROSECONDS',
        `pollMicroseconds ${longestMicroseconds}: choose 0 to ${LONGEST_MICROSECONDS}; the thread does not sleep meanwhile`,
      );
    }
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
