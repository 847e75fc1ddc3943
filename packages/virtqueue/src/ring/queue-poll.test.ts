/** When a queue is polled, with a clock that stands still until it is told. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QueuePoll } from './queue-poll.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const queue = { isInPlace: true };

/** Microseconds. */
function pass(microseconds: number): void {
  vi.advanceTimersByTime(microseconds / 1000);
}

it('goes on from the second buffer that comes soon, for so long after the last one', () => {
  const poll = new QueuePoll(5000);
  expect(poll.goesOn(queue, true)).toBe(false);
  pass(4000);
  expect(poll.goesOn(queue, true)).toBe(true);
  pass(4000);
  expect(poll.goesOn(queue, false)).toBe(true);
  expect(poll.goesOn(queue, true)).toBe(true);
  pass(4000);
  expect(poll.goesOn(queue, false)).toBe(true);
  pass(1000);
  expect(poll.goesOn(queue, false)).toBe(false);
});

it('asks for a kick at once after a longer pause', () => {
  const poll = new QueuePoll(5000);
  for (let times = 0; times < 3; times += 1) {
    expect(poll.goesOn(queue, true)).toBe(false);
    pass(5000);
  }
});

it('does not begin for a kick that brings nothing', () => {
  const poll = new QueuePoll(5000);
  poll.goesOn(queue, true);
  pass(1000);
  expect(poll.goesOn(queue, false)).toBe(false);
});

it('never goes on where it is not asked for', () => {
  const poll = new QueuePoll(0);
  expect([poll.goesOn(queue, true), poll.goesOn(queue, true), poll.goesOn(queue, false)]).toEqual([
    false,
    false,
    false,
  ]);
});

it('leaves a queue alone that is not in place', () => {
  const poll = new QueuePoll(5000);
  const remote = { isInPlace: false };
  expect([poll.goesOn(remote, true), poll.goesOn(remote, true)]).toEqual([false, false]);
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001])(
  'is refused for %d',
  (microseconds) => {
    expect(() => new QueuePoll(microseconds)).toThrow(
      expect.objectContaining({ code: 'POLL_MICROSECONDS' }),
    );
  },
);
