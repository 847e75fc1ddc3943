/** ArrayGuestMemory: guest memory in one or more ArrayBuffers or SharedArrayBuffers. */
import { VirtioError } from '../error.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  type MappedMemory,
  type MemoryRegion,
  type MemoryWindow,
  WINDOW_DENIED,
} from './guest-memory.ts';

/** A run of addresses and the bytes behind it. */
export interface ArrayRegion {
  /** First address. */
  readonly base: number;
  readonly buffer: ArrayBufferLike;
  /** Where in `buffer` the region begins, in bytes; 0 by default. */
  readonly offset?: number;
  /** Length in bytes; the rest of `buffer` by default. */
  readonly length?: number;
  /** ACCESS_READ for a ROM; both by default. */
  readonly access?: number;
}

interface Region {
  readonly base: number;
  readonly length: number;
  readonly access: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** An empty window, to be filled by {@link MappedMemory.window}. */
export function createMemoryWindow(): MemoryWindow {
  const bytes = new Uint8Array(0);
  return { bytes, view: new DataView(bytes.buffer), offset: 0, length: 0 };
}

export interface ArrayGuestMemoryOptions {
  /**
   * Others access the buffers while the device does. True by itself where one is a SharedArrayBuffer; to be said of an
   * ArrayBuffer that another process maps, too.
   */
  readonly isShared?: boolean;
}

export class ArrayGuestMemory implements MappedMemory {
  generation = 0;
  isShared = false;
  readonly #isAlwaysShared: boolean;
  #regions: readonly Region[] = [];
  #last: Region | undefined;

  /** @throws VirtioError `MEMORY_REGION` when a region is empty, outside its buffer, or overlaps another */
  constructor(regions: readonly ArrayRegion[] = [], options: ArrayGuestMemoryOptions = {}) {
    this.#isAlwaysShared = options.isShared ?? false;
    this.setRegions(regions);
  }

  /**
   * Replaces all regions; windows got earlier must not be used any more.
   *
   * @throws VirtioError `MEMORY_REGION` as the constructor does; then nothing has changed
   */
  setRegions(regions: readonly ArrayRegion[]): void {
    const sorted = regions.map(toRegion).sort((left, right) => left.base - right.base);
    for (let index = 1; index < sorted.length; index += 1) {
      const previous = sorted[index - 1]!;
      if (previous.base + previous.length > sorted[index]!.base) {
        throw new VirtioError(
          'MEMORY_REGION',
          `regions overlap at 0x${sorted[index]!.base.toString(16)}; give each address to one region`,
        );
      }
    }
    this.#regions = sorted;
    this.isShared = this.#isAlwaysShared || regions.some(isShared);
    this.#last = undefined;
    this.generation += 1;
  }

  get regions(): readonly MemoryRegion[] {
    return this.#regions.map(({ base, length, access }) => ({
      start: base,
      end: base + length - 1,
      access,
    }));
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const region = this.#find(address);
    if (region === undefined || (region.access & access) !== access) return WINDOW_DENIED;
    out.bytes = region.bytes;
    out.view = region.view;
    out.offset = address - region.base;
    out.length = Math.min(length, region.length - out.offset);
    return out.length;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    let done = 0;
    while (done < length) {
      const region = this.#find(address + done);
      if (region === undefined || (region.access & ACCESS_READ) === 0) return false;
      const offset = address + done - region.base;
      const run = Math.min(length - done, region.length - offset);
      copyBytes(region.bytes, offset, target, targetOffset + done, run);
      done += run;
    }
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    let done = 0;
    while (done < length) {
      const region = this.#find(address + done);
      if (region === undefined || (region.access & ACCESS_WRITE) === 0) return false;
      const offset = address + done - region.base;
      const run = Math.min(length - done, region.length - offset);
      copyBytes(source, sourceOffset + done, region.bytes, offset, run);
      done += run;
    }
    return true;
  }

  #find(address: number): Region | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.base && address - last.base < last.length)
      return last;
    const regions = this.#regions;
    let low = 0;
    let high = regions.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const region = regions[middle]!;
      if (address < region.base) high = middle - 1;
      else if (address - region.base >= region.length) low = middle + 1;
      else {
        this.#last = region;
        return region;
      }
    }
    return undefined;
  }
}

function isShared({ buffer }: ArrayRegion): boolean {
  // A web page that is not isolated has no SharedArrayBuffer to compare with.
  return !(buffer instanceof ArrayBuffer);
}

/** Below this many bytes a loop is faster than the two views that a block copy needs. */
const LOOP_LIMIT = 64;

function copyBytes(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  if (length <= LOOP_LIMIT) {
    for (let index = 0; index < length; index += 1) {
      target[targetOffset + index] = source[sourceOffset + index]!;
    }
  } else {
    target.set(source.subarray(sourceOffset, sourceOffset + length), targetOffset);
  }
}

function toRegion(region: ArrayRegion): Region {
  const { base, buffer, offset = 0, access = ACCESS_READ | ACCESS_WRITE } = region;
  const length = region.length ?? buffer.byteLength - offset;
  const isInside = offset >= 0 && length > 0 && offset + length <= buffer.byteLength;
  if (
    !isInside ||
    !Number.isSafeInteger(base) ||
    base < 0 ||
    !Number.isSafeInteger(base + length)
  ) {
    throw new VirtioError(
      'MEMORY_REGION',
      `the region at ${base} with ${length} bytes from ${offset} is not inside its buffer of ${buffer.byteLength} bytes`,
    );
  }
  return {
    base,
    length,
    access,
    bytes: new Uint8Array(buffer, offset, length),
    view: new DataView(buffer, offset, length),
  };
}
