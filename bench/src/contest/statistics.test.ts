/** Medians and spreads. */
import { expect, it } from 'vitest';
import { median, spreadOf } from './statistics.ts';

it('takes the middle, or the mean of the two in the middle, whatever the order', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 100, 5, 7])).toBe(8);
});

it('leaves the values in their order', () => {
  const values = [9, 1, 5];
  expect(spreadOf(values)).toEqual({ median: 5, min: 1, max: 9 });
  expect(values).toEqual([9, 1, 5]);
});
