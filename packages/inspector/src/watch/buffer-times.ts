/** BufferTimes: when the buffers of one queue were told of, taken and used, and what the times between come to. */
import { DurationCounter } from './duration-counter.ts';
import type { QueueLatency } from './inspector-messages.ts';

/** There is no kick that the device has not followed yet. */
const NO_KICK = -1;

export class BufferTimes {
  /** How long from the kick to a buffer is nothing to count where buffers are given ahead. */
  readonly #countsWaiting: boolean;
  readonly #waiting = new DurationCounter();
  readonly #working = new DurationCounter();
  #used = 0;
  #kickedAt = NO_KICK;
  /** By head: when the buffer was taken, and in which operation. */
  #takenAt = new Float64Array(0);
  #takenIn = new Float64Array(0);

  constructor(isFilledAhead: boolean) {
    this.#countsWaiting = !isFilledAhead;
  }

  get used(): number {
    return this.#used;
  }

  /** The queue begins anew. */
  start(size: number): void {
    this.#kickedAt = NO_KICK;
    this.#takenAt = new Float64Array(size);
    this.#takenIn = new Float64Array(size);
  }

  kick(time: number): void {
    if (this.#kickedAt === NO_KICK) this.#kickedAt = time;
  }

  take(head: number, time: number, operation: number): void {
    if (this.#countsWaiting && this.#kickedAt !== NO_KICK) {
      this.#waiting.add(time, time - this.#kickedAt);
    }
    this.#takenAt[head] = time;
    this.#takenIn[head] = operation;
  }

  /** The kick was followed. */
  ranEmpty(): void {
    this.#kickedAt = NO_KICK;
  }

  /** @param isTimed whether time goes on within an operation; where it does not, what begins and ends in one is not timed */
  use(head: number, time: number, operation: number, isTimed: boolean): void {
    this.#used += 1;
    if (isTimed || this.#takenIn[head] !== operation) {
      this.#working.add(time, time - this.#takenAt[head]!);
    }
  }

  latency(): Pick<QueueLatency, 'used' | 'waiting' | 'working'> {
    return {
      used: this.#used,
      waiting: this.#waiting.durations(),
      working: this.#working.durations(),
    };
  }
}
