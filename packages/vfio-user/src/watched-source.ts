/** WatchedSource: a poll source and its slot in the poll set. */
import { POLLERR, POLLHUP, POLLIN, POLLOUT, type PollSet } from '@viommu/linux-io';
import type { PollSource } from './poll-source.ts';

/** What is reported whether it is asked for or not. */
const GONE = POLLHUP | POLLERR;

export class WatchedSource {
  /** Slots that a source takes in the poll set. */
  static readonly SLOTS = 1;

  readonly #pollSet: PollSet;
  readonly #source: PollSource;
  readonly #slot: number;

  constructor(pollSet: PollSet, source: PollSource, slot: number) {
    this.#pollSet = pollSet;
    this.#source = source;
    this.#slot = slot;
  }

  /** Tells the poll set what to wait for. Without a wish the slot is empty: a peer that is gone would wake us for ever. */
  watch(): void {
    const source = this.#source;
    const events = (source.wantsRead() ? POLLIN : 0) | (source.wantsWrite() ? POLLOUT : 0);
    if (events === 0 || source.fd < 0) {
      this.#pollSet.clear(this.#slot);
    } else {
      this.#pollSet.set(this.#slot, source.fd, events);
    }
  }

  work(): number {
    return this.#source.work?.() ?? -1;
  }

  /** Hands on what the poll set has found. */
  handleEvents(): void {
    const events = this.#pollSet.events(this.#slot);
    if (events !== 0) {
      this.#source.ready((events & (POLLIN | GONE)) !== 0, (events & (POLLOUT | GONE)) !== 0);
    }
  }
}
