/** Judges whether what was measured again and again stayed flat. */

/** One reading, so many seconds after the start. */
export interface Reading {
  readonly seconds: number;
  readonly value: number;
}

export interface Flatness {
  readonly flat: boolean;
  /** How much the fitted line rises over the second half. */
  readonly rise: number;
  /** Of the second half. */
  readonly mean: number;
  /** The most that it may rise. */
  readonly bound: number;
}

/** One read of two disks, measured by turns. */
export interface ComparedRead {
  readonly latency: number;
  readonly reference: number;
}

type Thirds = readonly [number, number, number];

export interface Steadiness {
  readonly steady: boolean;
  /** Medians over the first, the second and the last third of the run. */
  readonly latency: Thirds;
  /** The same of latency / reference. */
  readonly ratio: Thirds;
  /** How many times what it was they have become: the last third beside the lower of the other two. */
  readonly latencyGrowth: number;
  readonly ratioGrowth: number;
}

/** Fewer say nothing of a trend. */
const FEWEST = 4;

/**
 * Fits a line through the second half of the readings by least squares. They are flat when it rises by at most `absolute`, or
 * by the share `relative` of their mean, whichever is more; too few are not.
 */
export function judgeFlat(
  readings: readonly Reading[],
  allowed: { readonly absolute: number; readonly relative: number },
): Flatness {
  const half = readings.slice(Math.floor(readings.length / 2));
  const mean = average(half.map(({ value }) => value));
  const middle = average(half.map(({ seconds }) => seconds));
  let covariance = 0;
  let variance = 0;
  for (const { seconds, value } of half) {
    covariance += (seconds - middle) * (value - mean);
    variance += (seconds - middle) ** 2;
  }
  const span = half.length < 2 ? 0 : half.at(-1)!.seconds - half[0]!.seconds;
  const rise = variance === 0 ? 0 : (covariance / variance) * span;
  const bound = Math.max(allowed.absolute, allowed.relative * mean);
  return { flat: half.length >= FEWEST && rise <= bound, rise, mean, bound };
}

/**
 * Reads are steady unless they have become slower by more than `growth`, and slower by more than that beside a reference, too: a
 * machine that does ever more other work slows both down, and one that has the reference alone wait says nothing of the reads.
 * Too few are not steady.
 */
export function judgeSteady(reads: readonly ComparedRead[], growth: number): Steadiness {
  const latency = mediansOfThirds(reads.map((read) => read.latency));
  const ratio = mediansOfThirds(reads.map((read) => read.latency / read.reference));
  const [latencyGrowth, ratioGrowth] = [growthOf(latency), growthOf(ratio)];
  const grown = latencyGrowth > growth && ratioGrowth > growth;
  const steady = reads.length >= 3 * FEWEST && !grown;
  return { steady, latency, ratio, latencyGrowth, ratioGrowth };
}

function mediansOfThirds(values: readonly number[]): Thirds {
  const third = Math.floor(values.length / 3);
  const last = values.length - third;
  return [
    median(values.slice(0, third)),
    median(values.slice(third, last)),
    median(values.slice(last)),
  ];
}

function growthOf([first, second, last]: Thirds): number {
  return last / Math.min(first, second);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
