/** Moments that can be had again. */
import { expect, it } from 'vitest';
import { LARGEST_SEED, seededMoments } from './seeded-moments.ts';

const moments = (seed: number, count: number) => {
  const next = seededMoments(seed);
  return Array.from({ length: count }, next);
};

it.each([0, 1, LARGEST_SEED])('gives the same again from seed %d', (seed) => {
  expect(moments(seed, 50)).toEqual(moments(seed, 50));
  expect(moments(seed, 50)).not.toEqual(moments(seed ^ 1, 50));
});

it('spreads over all of 0 to 1', () => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const moment of moments(7, 10_000)) {
    expect(moment).toBeGreaterThanOrEqual(0);
    counts[Math.floor(moment * 10)]! += 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
