/** The DMA windows that a client announced ("VFIO_USER_DMA_MAP"), sorted by address. */
import { EEXIST, EINVAL, ENOENT, ENOSPC } from '@viommu/linux-io';
import { MAX_DMA_MAPS } from '../protocol/constants.ts';
import type { GuestRam } from './guest-ram.ts';

export interface DmaWindow {
  /** First address. */
  readonly start: number;
  /** Last address, inclusive. */
  readonly end: number;
  /** ACCESS_READ, ACCESS_WRITE or both. */
  readonly access: number;
  /** Undefined when the client shares no memory for it. */
  readonly ram: GuestRam | undefined;
  /** Of `start` in the file. */
  readonly fileOffset: number;
}

export class DmaTable {
  readonly #windows: DmaWindow[] = [];
  #last: DmaWindow | undefined;

  get windows(): readonly DmaWindow[] {
    return this.#windows;
  }

  /** The window that `address` lies in. */
  find(address: number): DmaWindow | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address <= last.end) {
      return last;
    }
    const window = this.#windows[this.#firstEndingAtOrAfter(address)];
    if (window === undefined || address < window.start) {
      return undefined;
    }
    this.#last = window;
    return window;
  }

  /** What stands against adding a window of this extent: 0 or an errno. */
  check(address: number, size: number): number {
    if (size === 0 || address + size > Number.MAX_SAFE_INTEGER) {
      return EINVAL;
    }
    if (this.#windows.length >= MAX_DMA_MAPS) {
      return ENOSPC;
    }
    // "A command to map over an existing region must be failed by the server with EEXIST".
    const next = this.#windows[this.#firstEndingAtOrAfter(address)];
    return next !== undefined && next.start < address + size ? EEXIST : 0;
  }

  /** Adds a window that passed {@link check}. */
  add(window: DmaWindow): void {
    this.#windows.splice(this.#firstEndingAtOrAfter(window.start), 0, window);
  }

  /**
   * Removes every window within the range and hands each to `removed`.
   *
   * @returns 0; or, with nothing removed, ENOENT when there is none and EINVAL when one lies only partly within
   */
  remove(address: number, size: number, removed: (window: DmaWindow) => void): number {
    const from = this.#firstEndingAtOrAfter(address);
    const end = address + size - 1;
    let to = from;
    while (to < this.#windows.length && this.#windows[to]!.start <= end) {
      to++;
    }
    if (from === to) {
      return ENOENT;
    }
    if (this.#windows[from]!.start < address || this.#windows[to - 1]!.end > end) {
      return EINVAL;
    }
    this.#last = undefined;
    for (const window of this.#windows.splice(from, to - from)) {
      removed(window);
    }
    return 0;
  }

  #firstEndingAtOrAfter(address: number): number {
    let low = 0;
    let high = this.#windows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#windows[middle]!.end < address) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
