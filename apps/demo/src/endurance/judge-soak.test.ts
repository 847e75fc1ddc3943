/** What counts as flat. */
import { expect, it } from 'vitest';
import { judgeFlat, judgeSteady, median } from './judge-soak.ts';

const readings = (values: readonly number[]) =>
  values.map((value, index) => ({ seconds: 10 * index, value }));
const ALLOWED = { absolute: 1, relative: 0.1 };

it('fits the second half alone: what happens while things warm up does not count', () => {
  const found = judgeFlat(readings([0, 900, 1000, 2000, 50, 50, 50, 50]), ALLOWED);
  expect(found).toEqual({ flat: true, rise: 0, mean: 50, bound: 5 });
});

it('is not flat when the line rises by more than is allowed, by number or by share', () => {
  expect(judgeFlat(readings([0, 0, 0, 0, 50, 52, 54, 56]), ALLOWED).flat).toBe(false);
  expect(judgeFlat(readings([0, 0, 0, 0, 50, 52, 54, 56]), ALLOWED).rise).toBeCloseTo(6);
  expect(judgeFlat(readings([0, 0, 0, 0, 50, 51, 52, 53]), ALLOWED).flat).toBe(true);
  expect(judgeFlat(readings([0, 0, 0, 0, 1, 1.5, 2, 2.5]), ALLOWED).flat).toBe(false);
});

it('may fall, and may go up and down', () => {
  expect(judgeFlat(readings([0, 0, 0, 0, 90, 60, 30, 0]), ALLOWED).flat).toBe(true);
  expect(judgeFlat(readings([0, 0, 0, 0, 50, 70, 70, 50]), ALLOWED).flat).toBe(true);
});

it('is not flat when there is too little to tell', () => {
  expect(judgeFlat(readings([1, 1, 1, 1, 1]), ALLOWED).flat).toBe(false);
  expect(judgeFlat([], ALLOWED).flat).toBe(false);
});

/** Four rounds in each third. */
const reads = (latencies: readonly number[], references: readonly number[]) =>
  latencies.flatMap((latency, third) =>
    Array.from({ length: 4 }, () => ({ latency, reference: references[third]! })),
  );

it('is steady unless reads get slower, and slower beside the reference, too', () => {
  expect(judgeSteady(reads([40, 20, 31], [10, 10, 10]), 1.5)).toEqual({
    steady: false,
    latency: [40, 20, 31],
    ratio: [4, 2, 3.1],
    latencyGrowth: 1.55,
    ratioGrowth: 1.55,
  });
  expect(judgeSteady(reads([20, 40, 31], [10, 10, 10]), 1.5).steady).toBe(false);
  expect(judgeSteady(reads([40, 20, 30], [10, 10, 10]), 1.5).steady).toBe(true);
  expect(judgeSteady(reads([20, 40, 80], [10, 20, 40]), 1.5).steady).toBe(true);
  expect(judgeSteady(reads([20, 20, 20], [40, 10, 5]), 1.5).steady).toBe(true);
});

it('takes medians: a round that had to wait does not count', () => {
  const waiting = reads([20, 20, 20], [10, 10, 10]);
  for (const index of [0, 5, 11]) waiting[index]!.latency = 900;
  expect(judgeSteady(waiting, 1.5).latency).toEqual([20, 20, 20]);
});

it('is not steady when there is too little to tell', () => {
  expect(judgeSteady(reads([20, 20, 20], [10, 10, 10]).slice(1), 1.5).steady).toBe(false);
  expect(judgeSteady([], 1.5).steady).toBe(false);
});

it('has a median', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
});
