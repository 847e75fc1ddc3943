/** Medians and worst ones beside those of a list that keeps everything. */
import { describe, expect, it } from 'vitest';
import { DurationCounter } from './duration-counter.ts';
import { DurationHistogram } from './duration-histogram.ts';

/** Whole numbers from 0 up to `end`, the same in each run, with as many small ones as large ones. */
function* durations(count: number, end: number): Generator<number> {
  let state = 7;
  for (let index = 0; index < count; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield Math.floor(end ** (state / 2 ** 32)) - 1;
  }
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.ceil(values.length / 2) - 1]!;
}

/** At most a 32nd away. */
function expectClose(actual: number, exact: number): void {
  expect(Math.abs(actual - exact)).toBeLessThanOrEqual(exact / 32);
}

describe('DurationHistogram', () => {
  it.each([1, 2, 3, 10, 1000])('finds the median and the worst of %d', (count) => {
    const histogram = new DurationHistogram();
    const all = [...durations(count, 1e8)];
    for (const one of all) histogram.add(one);
    expectClose(histogram.median, medianOf(all));
    expect([histogram.count, histogram.worst]).toEqual([count, Math.max(...all)]);
  });

  it('is within a 32nd of each single value, and exact below 32', () => {
    for (const value of [...Array(5000).keys(), 2 ** 20 - 1, 2 ** 20, 2 ** 31 - 1]) {
      const histogram = new DurationHistogram();
      histogram.add(value);
      histogram.add(2 ** 31 - 1);
      if (value < 32) expect(histogram.median).toBe(value);
      else expectClose(histogram.median, value);
    }
  });

  it('has nothing to say of nothing, and takes what is longer than it knows for the longest', () => {
    const histogram = new DurationHistogram();
    expect([histogram.count, histogram.median, histogram.worst]).toEqual([0, 0, 0]);
    histogram.add(1e12);
    expect([histogram.count, histogram.worst]).toEqual([1, 2 ** 31 - 1]);
  });
});

describe('DurationCounter', () => {
  it('has the median and the worst of each interval, whenever it is asked, in ever longer ones', () => {
    const counter = new DurationCounter();
    const ended: { time: number; duration: number }[] = [];
    let time = 0;
    for (const duration of durations(3000, 1e6)) {
      time += duration % 7000;
      counter.add(time, duration);
      ended.push({ time, duration });
      if (ended.length % 500 !== 0) continue;
      const { count, worst, interval, medians, worsts } = counter.durations();
      expect([count, worst]).toEqual([ended.length, Math.max(...ended.map((one) => one.duration))]);
      expect(Math.log2(interval / 1000) % 1).toBe(0);
      expect(medians.length).toBe(worsts.length);
      expect(medians.length).toBeLessThanOrEqual(512);
      expect(medians.length).toBe(Math.floor(time / interval) + 1);
      for (const [at, median] of medians.entries()) {
        const within = ended
          .filter((one) => Math.floor(one.time / interval) === at)
          .map((one) => one.duration);
        expect(worsts[at]).toBe(within.length === 0 ? -1 : Math.max(...within));
        if (within.length === 0) expect(median).toBe(-1);
        else expectClose(median, medianOf(within));
      }
    }
    expect(counter.durations().interval).toBeGreaterThan(8000);
  });

  it('gives what does not change later', () => {
    const counter = new DurationCounter();
    counter.add(0, 5);
    const before = counter.durations();
    counter.add(1e9, 7);
    expect(before).toEqual({
      count: 1,
      median: 5,
      worst: 5,
      interval: 1000,
      medians: [5],
      worsts: [5],
    });
  });
});
