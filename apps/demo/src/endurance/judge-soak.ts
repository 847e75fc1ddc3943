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

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
