/** When a queue is polled, with a clock that stands still until it is told. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QueuePoll } from './queue-poll.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Microseconds. */
function pass(microseconds: number): void {
  vi.advanceTimersByTime(microseconds / 1000);
}

it('goes on from the second buffer that comes soon, for so long after the last one', () => {
  const poll = new QueuePoll(5000);
  expect(poll.goesOn(true)).toBe(false);
  pass(4000);
  expect(poll.goesOn(true)).toBe(true);
  pass(4000);
  expect(poll.goesOn(false)).toBe(true);
  expect(poll.goesOn(true)).toBe(true);
  pass(4000);
  expect(poll.goesOn(false)).toBe(true);
  pass(1000);
  expect(poll.goesOn(false)).toBe(false);
});

it('asks for a kick at once after a longer pause', () => {
  const poll = new QueuePoll(5000);
  for (let times = 0; times < 3; times += 1) {
    expect(poll.goesOn(true)).toBe(false);
    pass(5000);
  }
});

it('does not begin for a kick that brings nothing', () => {
  const poll = new QueuePoll(5000);
  poll.goesOn(true);
  pass(1000);
  expect(poll.goesOn(false)).toBe(false);
});

it('never goes on where it is not asked for', () => {
  const poll = new QueuePoll(0);
  expect([poll.goesOn(true), poll.goesOn(true), poll.goesOn(false)]).toEqual([false, false, false]);
});
