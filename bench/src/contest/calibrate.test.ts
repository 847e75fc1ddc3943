/** What calibrating decides, with contestants whose times are made up. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { calibrate, isCalibrated, nextOperations } from './calibrate.ts';

const OPTIONS = { batchMilliseconds: 30, warmUpMilliseconds: 100, multiple: 128 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** @param nanoseconds per operation, by how many were done before; `untimed` is what its clock leaves out */
function contestant(nanoseconds: (done: number) => number, untimed = 0) {
  const runs: number[] = [];
  let done = 0;
  return {
    runs,
    run(operations: number): Promise<number> {
      const time = operations * nanoseconds(done);
      done += operations;
      runs.push(operations);
      vi.advanceTimersByTime((time + operations * untimed) / 1e6);
      return Promise.resolve(Math.round(time));
    },
  };
}

it('finds as many operations as take the time of a batch, in multiples', async () => {
  const operations = await calibrate(
    contestant(() => 100),
    OPTIONS,
  );
  expect(operations % 128).toBe(0);
  expect(operations * 100).toBeGreaterThan(29e6);
  expect(operations * 100).toBeLessThan(31e6);
});

it('does not go by what ran cold', async () => {
  const cold = contestant((done) => (done < 20_000 ? 2000 : 50));
  const operations = await calibrate(cold, OPTIONS);
  expect(operations * 50).toBeGreaterThan(29e6);
  expect(cold.runs.reduce((sum, run) => sum + run)).toBeGreaterThan(600_000);
});

it('keeps running until the contestant is warm', async () => {
  const fast = contestant(() => 100);
  await calibrate(fast, OPTIONS);
  const milliseconds = (fast.runs.reduce((sum, run) => sum + run) * 100) / 1e6;
  expect(milliseconds).toBeGreaterThanOrEqual(100);
});

it('stays at one multiple when that takes longer than a batch', async () => {
  const slow = contestant(() => 1e6);
  expect(await calibrate(slow, OPTIONS)).toBe(128);
});

it('bounds what is not timed', async () => {
  const refilling = contestant(() => 10, 990);
  const operations = await calibrate(refilling, OPTIONS);
  expect((operations * 1000) / 1e6).toBeLessThan(8 * 30 * 1.1);
});

it('grows by at most eight at once', () => {
  const run = { operations: 128, milliseconds: 0.001, wallMilliseconds: 0.002 };
  expect(nextOperations(run, OPTIONS)).toBe(8 * 128);
});

it('is not calibrated by a run that was much shorter than a batch', () => {
  const warm = { milliseconds: 1000, wallMilliseconds: 1000 };
  const short = { operations: 128, milliseconds: 10, wallMilliseconds: 10 };
  const long = { operations: 384, milliseconds: 29, wallMilliseconds: 29 };
  expect(isCalibrated(short, warm, OPTIONS)).toBe(false);
  expect(isCalibrated(long, warm, OPTIONS)).toBe(true);
  expect(isCalibrated(long, { milliseconds: 50, wallMilliseconds: 60 }, OPTIONS)).toBe(false);
});
