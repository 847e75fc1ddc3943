/** DurationCounter: how long things took, the median and the worst of each interval, in intervals that get longer instead of more. */
import { DurationHistogram } from './duration-histogram.ts';
import type { WatchedDurations } from './inspector-messages.ts';
import { FIRST_INTERVAL, INTERVALS_MAX } from './traffic-counter.ts';

/** In an interval in which nothing came to its end. */
const NONE = -1;

export class DurationCounter {
  readonly #all = new DurationHistogram();
  #interval = FIRST_INTERVAL;
  #parts: (DurationHistogram | undefined)[] = [];
  #medians: number[] = [];
  #worsts: number[] = [];
  /** Intervals whose median is to be found again. */
  readonly #stale = new Set<number>();

  /**
   * @param time when it came to its end, in microseconds since the beginning
   * @param duration in microseconds
   */
  add(time: number, duration: number): void {
    while (time >= this.#interval * INTERVALS_MAX) this.#double();
    const at = Math.floor(time / this.#interval);
    this.#all.add(duration);
    this.#partAt(at).add(duration);
    this.#stale.add(at);
  }

  /** All that there is by now. */
  durations(): WatchedDurations {
    for (const at of this.#stale) {
      this.#medians[at] = this.#parts[at]!.median;
      this.#worsts[at] = this.#parts[at]!.worst;
    }
    this.#stale.clear();
    return {
      count: this.#all.count,
      median: this.#all.median,
      worst: this.#all.worst,
      interval: this.#interval,
      medians: [...this.#medians],
      worsts: [...this.#worsts],
    };
  }

  #partAt(at: number): DurationHistogram {
    while (this.#parts.length <= at) {
      this.#parts.push(undefined);
      this.#medians.push(NONE);
      this.#worsts.push(NONE);
    }
    this.#parts[at] ??= new DurationHistogram();
    return this.#parts[at];
  }

  #double(): void {
    const parts = this.#parts;
    this.#parts = [];
    this.#medians = [];
    this.#worsts = [];
    this.#stale.clear();
    this.#interval *= 2;
    for (const [at, part] of parts.entries()) {
      if (part === undefined) continue;
      this.#partAt(at >> 1).addAll(part);
      this.#stale.add(at >> 1);
    }
  }
}
