/** AddressAllocator: hands out ranges of a number space, from the top down; of virtual addresses and of memory alike. */
import { VirtioError } from '@viommu/virtqueue';

interface Range {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * From the top down, because low addresses are the scarce ones: devices with few address bits want them, and machines
 * reserve there.
 */
export class AddressAllocator {
  /** Every range starts at a multiple of this and is one long, in bytes. */
  readonly granule: number;
  /** Free ranges in ascending order; no two of them touch. */
  readonly #free: Range[];

  /**
   * @param start first address
   * @param end last address, inclusive; what does not fill a granule at either end is left out
   * @throws VirtioError `GRANULE` when the granule is no power of two, `NO_ADDRESSES` when the range holds no granule
   */
  constructor(start: number, end: number, granule: number) {
    if (!(granule >= 1) || !Number.isInteger(Math.log2(granule))) {
      throw new VirtioError('GRANULE', `a granule of ${granule} bytes: choose a power of two`);
    }
    this.granule = granule;
    const first = roundUp(start, granule);
    const last = Math.floor((end + 1) / granule) * granule - 1;
    if (last < first) {
      throw new VirtioError('NO_ADDRESSES', `${start}..${end} holds no whole ${granule} bytes`);
    }
    this.#free = [{ start: first, end: last }];
  }

  /** Sum of the free ranges in bytes. */
  get freeBytes(): number {
    return this.#free.reduce((sum, { start, end }) => sum + (end - start + 1), 0);
  }

  /** Keeps a range from being handed out, ends inclusive and rounded outwards. What of it is in use stays in use. */
  reserve(start: number, end: number): void {
    const first = Math.floor(start / this.granule) * this.granule;
    const last = roundUp(end + 1, this.granule) - 1;
    for (let index = this.#free.length - 1; index >= 0; index -= 1) {
      const range = this.#free[index]!;
      if (range.end >= first && range.start <= last) this.#cut(index, first, last);
    }
  }

  /**
   * Takes the highest free range of that many bytes, rounded up to the granule.
   *
   * @param alignment of its first address, a power of two; the granule when it is less
   * @throws VirtioError `NO_ADDRESSES`
   */
  allocate(length: number, alignment = this.granule): number {
    const size = roundUp(length, this.granule);
    const step = Math.max(alignment, this.granule);
    for (let index = this.#free.length - 1; index >= 0; index -= 1) {
      const { start, end } = this.#free[index]!;
      const address = Math.floor((end + 1 - size) / step) * step;
      if (size > 0 && address >= start) {
        this.#cut(index, address, address + size - 1);
        return address;
      }
    }
    throw new VirtioError('NO_ADDRESSES', `no ${length} bytes are free in one piece`);
  }

  /**
   * Gives back what {@link allocate} took.
   *
   * @throws VirtioError `DOUBLE_FREE` when a part of it is free already
   */
  free(address: number, length: number): void {
    const end = address + roundUp(length, this.granule) - 1;
    const above = this.#firstAbove(address);
    const next = this.#free[above];
    const previous = this.#free[above - 1];
    if ((next !== undefined && next.start <= end) || (previous?.end ?? -1) >= address) {
      throw new VirtioError('DOUBLE_FREE', `0x${address.toString(16)} is free already`);
    }
    const touchesPrevious = previous !== undefined && previous.end + 1 === address;
    const touchesNext = next !== undefined && end + 1 === next.start;
    if (touchesPrevious && touchesNext) {
      previous.end = next.end;
      this.#free.splice(above, 1);
    } else if (touchesPrevious) previous.end = end;
    else if (touchesNext) next.start = address;
    else this.#free.splice(above, 0, { start: address, end });
  }

  /** Index of the first free range that starts above the address. */
  #firstAbove(address: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#free[middle]!.start > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #cut(index: number, first: number, last: number): void {
    const { start, end } = this.#free[index]!;
    const left: Range[] = [];
    if (start < first) left.push({ start, end: first - 1 });
    if (end > last) left.push({ start: last + 1, end });
    this.#free.splice(index, 1, ...left);
  }
}

function roundUp(value: number, granule: number): number {
  return Math.ceil(value / granule) * granule;
}
