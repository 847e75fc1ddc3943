/** MappingList: the mappings of a container in ascending order, each as it was asked for, ends inclusive. */

export class MappingList {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  get count(): number {
    return this.#starts.length;
  }

  overlaps(start: number, end: number): boolean {
    const next = this.#starts[this.#firstEndingAtOrAfter(start)];
    return next !== undefined && next <= end;
  }

  /** Whether a mapping lies partly within the range and partly outside. */
  cutBy(start: number, end: number): boolean {
    const first = this.#firstEndingAtOrAfter(start);
    const last = this.#firstEndingAtOrAfter(end);
    const cutsFirst = (this.#starts[first] ?? start) < start;
    const cutsLast = (this.#starts[last] ?? end + 1) <= end && this.#ends[last] !== end;
    return cutsFirst || cutsLast;
  }

  /** Adds a mapping that overlaps none. */
  insert(start: number, end: number): void {
    const index = this.#firstEndingAtOrAfter(start);
    this.#starts.splice(index, 0, start);
    this.#ends.splice(index, 0, end);
  }

  /**
   * Removes the mappings within a range that cuts none.
   *
   * @param removed is told of each
   * @returns the bytes that they covered
   */
  remove(start: number, end: number, removed: (start: number, end: number) => void): number {
    const first = this.#firstEndingAtOrAfter(start);
    let bytes = 0;
    let next = first;
    while (next < this.#starts.length && this.#starts[next]! <= end) {
      bytes += this.#ends[next]! - this.#starts[next]! + 1;
      removed(this.#starts[next]!, this.#ends[next]!);
      next += 1;
    }
    this.#starts.splice(first, next - first);
    this.#ends.splice(first, next - first);
    return bytes;
  }

  #firstEndingAtOrAfter(address: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
