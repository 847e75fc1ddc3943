/** DurationHistogram: counts durations by their size, so that a median costs no list of all of them. */

/** Below it a number has a class of its own; above, each power of two has half as many classes. */
const EXACT = 32;
const CLASSES = EXACT / 2;
/** The bits of `EXACT`. */
const EXACT_BITS = 5;
/** More than half an hour, in microseconds. */
const LONGEST = 2 ** 31 - 1;

export class DurationHistogram {
  count = 0;
  /** Exact; 0 while there is none. */
  worst = 0;
  readonly #counts = new Map<number, number>();

  /** @param duration 0 or more; fractions are rounded */
  add(duration: number): void {
    const value = Math.min(Math.round(duration), LONGEST);
    this.#add(classOf(value), 1);
    this.worst = Math.max(this.worst, value);
  }

  addAll(other: DurationHistogram): void {
    for (const [index, count] of other.#counts) this.#add(index, count);
    this.worst = Math.max(this.worst, other.worst);
  }

  /** No more than a 32nd from the duration that half of them do not exceed; 0 while there is none. */
  get median(): number {
    let left = this.count / 2;
    for (const index of [...this.#counts.keys()].sort((one, other) => one - other)) {
      left -= this.#counts.get(index)!;
      if (left <= 0) return Math.min(middleOf(index), this.worst);
    }
    return 0;
  }

  #add(index: number, count: number): void {
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
    this.count += count;
  }
}

function classOf(value: number): number {
  if (value < EXACT) return value;
  const shift = 31 - Math.clz32(value) - (EXACT_BITS - 1);
  return EXACT + (shift - 1) * CLASSES + ((value >>> shift) - CLASSES);
}

function middleOf(index: number): number {
  if (index < EXACT) return index;
  const shift = Math.floor((index - EXACT) / CLASSES) + 1;
  const start = (((index - EXACT) % CLASSES) + CLASSES) * 2 ** shift;
  return start + 2 ** (shift - 1) - 1;
}
