/** ArrayGuestMemory: guest memory in one or more ArrayBuffers or SharedArrayBuffers. */
import { VirtioError } from '../error.ts';
import { type ByteViews, copyBytes, RecurringArray, viewBytes } from './byte-views.ts';
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

interface Region extends ByteViews {
  readonly base: number;
  readonly length: number;
  readonly access: number;
  /** How many bytes, from the first on, are within reach of short copies by words, when they may be read. */
  readonly readReach: number;
  /** The same of bytes that may be written. */
  readonly writeReach: number;
}

const NOWHERE: Region = {
  base: 0,
  length: 0,
  access: 0,
  readReach: 0,
  writeReach: 0,
  ...viewBytes(new Uint8Array(0)),
};
/** Offsets below it are small integers in the engine. */
const LONGEST_REACH = 0x8000_0000;
/** As in byte-views.ts; a literal of this file is put in place. */
const SHORT = 64;

const NO_BYTES = viewBytes(new Uint8Array(0));

/** An empty window, to be filled by {@link MappedMemory.window}. */
export function createMemoryWindow(): MemoryWindow {
  const { bytes, view, words } = NO_BYTES;
  return { bytes, view, words, offset: 0, length: 0 };
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
  #last = NOWHERE;
  readonly #targets = new RecurringArray();
  readonly #sources = new RecurringArray();

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
    this.#last = NOWHERE;
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
    out.words = region.words;
    out.offset = address - region.base;
    out.length = Math.min(length, region.length - out.offset);
    return out.length;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    const { base, words, readReach } = this.#last;
    const targets = this.#targets;
    const offset = address - base;
    if (
      target === targets.bytes &&
      offset >= 0 &&
      offset + length <= readReach &&
      length <= SHORT &&
      ((offset | targetOffset | length) & 3) === 0
    ) {
      const targetWords = targets.words;
      const end = (targetOffset + length) >>> 2;
      let from = offset >>> 2;
      for (let at = targetOffset >>> 2; at < end; at += 1) {
        targetWords[at] = words[from]!;
        from += 1;
      }
      return true;
    }
    targets.meet(target);
    return this.#readRuns(address, target, targetOffset, length);
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    const { base, words, writeReach } = this.#last;
    const sources = this.#sources;
    const offset = address - base;
    if (
      source === sources.bytes &&
      offset >= 0 &&
      offset + length <= writeReach &&
      length <= SHORT &&
      ((offset | sourceOffset | length) & 3) === 0
    ) {
      const sourceWords = sources.words;
      const end = (sourceOffset + length) >>> 2;
      let to = offset >>> 2;
      for (let at = sourceOffset >>> 2; at < end; at += 1) {
        words[to] = sourceWords[at]!;
        to += 1;
      }
      return true;
    }
    sources.meet(source);
    return this.#writeRuns(address, source, sourceOffset, length);
  }

  #readRuns(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
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

  #writeRuns(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
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
    if (address >= last.base && address - last.base < last.length) return last;
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
  const views = viewBytes(new Uint8Array(buffer, offset, length));
  const reach = Math.min(views.words.length * 4, LONGEST_REACH);
  return {
    base,
    length,
    access,
    readReach: (access & ACCESS_READ) === 0 ? 0 : reach,
    writeReach: (access & ACCESS_WRITE) === 0 ? 0 : reach,
    ...views,
  };
}
