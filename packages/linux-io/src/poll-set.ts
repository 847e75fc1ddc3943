/** The array of `struct pollfd` that a thread blocks in: one fixed slot per file descriptor. */
import { Arena } from './arena.ts';
import { EINTR } from './constants.ts';
import type { Libc } from './libc.ts';

const ARENA_SIZE = 4096;
const POLLFD_SIZE = 8;
const EVENTS_OFFSET = 4;
const REVENTS_OFFSET = 6;

/** What a set can hold. */
export const POLL_SLOTS = ARENA_SIZE / POLLFD_SIZE;

/** poll() passes over a slot with a negative descriptor. */
const UNUSED = -1;

export class PollSet {
  readonly #libc: Libc;
  readonly #arena: Arena;
  #count = 0;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#arena = Arena.take(libc, ARENA_SIZE);
  }

  set(slot: number, fd: number, events: number): void {
    const at = slot * POLLFD_SIZE;
    this.#arena.view.setInt32(at, fd, true);
    this.#arena.view.setInt16(at + EVENTS_OFFSET, events, true);
    this.#arena.view.setInt16(at + REVENTS_OFFSET, 0, true);
    this.#count = Math.max(this.#count, slot + 1);
  }

  clear(slot: number): void {
    this.set(slot, UNUSED, 0);
  }

  /** Blocks until a slot has events or the time is over; -1 is no limit. A signal ends it early, with no events. */
  wait(timeoutMilliseconds: number): void {
    const ready = this.#libc.poll(this.#arena.address, this.#count, timeoutMilliseconds);
    if (ready < 0) {
      if (this.#libc.errno() !== EINTR) {
        throw new Error(`poll() failed with errno ${this.#libc.errno()}`);
      }
      for (let slot = 0; slot < this.#count; slot++) {
        this.#arena.view.setInt16(slot * POLLFD_SIZE + REVENTS_OFFSET, 0, true);
      }
    }
  }

  /** The events that the last wait found. */
  events(slot: number): number {
    return this.#arena.view.getInt16(slot * POLLFD_SIZE + REVENTS_OFFSET, true);
  }

  giveBack(): void {
    this.#arena.giveBack();
  }
}
