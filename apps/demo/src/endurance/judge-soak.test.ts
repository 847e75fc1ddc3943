/** What counts as flat. */
import { expect, it } from 'vitest';
import { judgeFlat, median } from './judge-soak.ts';

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

it('has a median', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
});
