/** SortedMappings: the mappings of a domain in order of their addresses, to be drawn and looked up. */
import type { WatchedMapping } from './inspector-messages.ts';

export class SortedMappings {
  readonly #mappings: WatchedMapping[];

  constructor(mappings: readonly WatchedMapping[] = []) {
    this.#mappings = [...mappings].sort((one, other) => one.virtStart - other.virtStart);
  }

  get all(): readonly WatchedMapping[] {
    return this.#mappings;
  }

  insert(mapping: WatchedMapping): void {
    this.#mappings.splice(this.indexAt(mapping.virtStart), 0, mapping);
  }

  /** Removes all that lie in the range. */
  remove(virtStart: number, virtEnd: number): void {
    const first = this.indexAt(virtStart);
    const end = virtEnd === Number.MAX_SAFE_INTEGER ? this.all.length : this.indexAt(virtEnd + 1);
    this.#mappings.splice(first, end - first);
  }

  /** @returns the mapping that covers the address */
  find(address: number): WatchedMapping | undefined {
    const mapping = this.#mappings[this.indexAt(address + 1) - 1];
    return mapping !== undefined && mapping.virtEnd >= address ? mapping : undefined;
  }

  /** Index of the first mapping that starts at `address` or behind. */
  indexAt(address: number): number {
    let low = 0;
    let high = this.#mappings.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#mappings[middle]!.virtStart < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
