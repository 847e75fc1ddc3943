import { expect, it } from 'vitest';
import { scatteredOrder } from './frame-order.ts';

it.each([1, 2, 3, 4, 5, 8, 64, 100, 4096, 8191])('is a permutation of %i frames', (frames) => {
  const order = scatteredOrder(frames);
  const seen = new Set<number>();
  for (let index = 0; index < frames; index++) {
    const frame = order.frameOf(index);
    expect(frame).toBeGreaterThanOrEqual(0);
    expect(frame).toBeLessThan(frames);
    expect(order.indexOf(frame)).toBe(index);
    seen.add(frame);
  }
  expect(seen.size).toBe(frames);
});

it.each([5, 64, 4096])('has no two neighbours of %i together', (frames) => {
  const order = scatteredOrder(frames);
  for (let index = 1; index < frames; index++) {
    expect(Math.abs(order.frameOf(index) - order.frameOf(index - 1))).toBeGreaterThan(1);
  }
});
