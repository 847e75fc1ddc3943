/** What comes again and again has few lines, and none is lost from the count. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LimitedLog } from './limited-log.ts';

let lines: string[];
let log: LimitedLog;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  lines = [];
  log = new LimitedLog((line) => lines.push(line));
});

afterEach(() => vi.useRealTimers());

it('writes the first at once, and the others with the next after 10 seconds', () => {
  for (let at = 0; at < 10_000; at += 100) {
    log.report(`at ${at}`);
    vi.advanceTimersByTime(100);
  }
  expect(lines).toEqual(['at 0']);
  log.report('later');
  expect(lines).toEqual(['at 0', 'later (and 99 times before, untold)']);
  vi.advanceTimersByTime(10_000);
  log.report('alone');
  expect(lines.at(-1)).toBe('alone');
});

it('settles what is untold, once', () => {
  log.settle();
  log.report('a');
  log.settle();
  expect(lines).toEqual(['a']);
  log.report('b');
  log.report('c');
  log.settle();
  log.settle();
  expect(lines).toEqual(['a', 'c (2 times more)']);
});
