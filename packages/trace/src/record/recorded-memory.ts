/** RecordedMemory: a host's memory of which every access is written down. */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  createMemoryWindow,
  type MappedMemory,
  type MemoryRegion,
  type MemoryWindow,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import { crc32 } from '../memory/crc32.ts';
import type { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectLog } from './effect-log.ts';

/** What is written is in the trace itself up to so many bytes, for people to read. */
const LONGEST_INLINE = 64;

/** Shows nothing in place, so that all is read and written by its methods. */
export class RecordedMemory implements MappedMemory {
  readonly #memory: MappedMemory;
  readonly #log: EffectLog;
  readonly #known: SparseBytes;
  readonly #window = createMemoryWindow();

  constructor(memory: MappedMemory, log: EffectLog, known: SparseBytes) {
    this.#memory = memory;
    this.#log = log;
    this.#known = known;
  }

  get generation(): number {
    return this.#memory.generation;
  }

  get isShared(): boolean {
    return this.#memory.isShared;
  }

  get regions(): readonly MemoryRegion[] {
    return this.#memory.regions;
  }

  window(address: number, length: number, access: number, _out: MemoryWindow): number {
    return Math.min(this.#memory.window(address, length, access, this.#window), WINDOW_INVISIBLE);
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    if (!this.#load(address, target, targetOffset, length)) {
      this.#log.effect({ kind: 'dmaReadDenied', address, length });
      return false;
    }
    if (this.#known.has(address, target, targetOffset, length)) {
      this.#log.effect({ kind: 'dmaReadAgain', address, length });
    } else {
      const bytes = target.slice(targetOffset, targetOffset + length);
      this.#known.write(address, bytes, 0, length);
      this.#log.effect({ kind: 'dmaRead', address, bytes });
    }
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    if (!this.#store(address, source, sourceOffset, length)) {
      this.#log.effect({ kind: 'dmaWriteDenied', address, length });
      return false;
    }
    this.#known.write(address, source, sourceOffset, length);
    if (length <= LONGEST_INLINE) {
      const bytes = source.slice(sourceOffset, sourceOffset + length);
      this.#log.effect({ kind: 'dmaWrite', address, bytes });
    } else {
      const sum = crc32(source, sourceOffset, length);
      this.#log.effect({ kind: 'dmaWriteSummed', address, length, sum });
    }
    return true;
  }

  /** Indices of rings order what the two sides do, so they keep their barriers: see `RingPart`, which needs a window for them. */
  #load(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    const at = this.#findShared(address, length, ACCESS_READ);
    if (at < 0) return this.#memory.read(address, target, targetOffset, length);
    const { words } = this.#window;
    const value = length === 4 ? Atomics.load(words, at) : Atomics.load(halvesOf(words), at);
    for (let byte = 0; byte < length; byte += 1) target[targetOffset + byte] = value >>> (8 * byte);
    return true;
  }

  #store(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    const at = this.#findShared(address, length, ACCESS_WRITE);
    if (at < 0) return this.#memory.write(address, source, sourceOffset, length);
    const { words } = this.#window;
    let value = 0;
    for (let byte = 0; byte < length; byte += 1)
      value |= source[sourceOffset + byte]! << (8 * byte);
    if (length === 4) Atomics.store(words, at, value);
    else Atomics.store(halvesOf(words), at, value);
    return true;
  }

  /** @returns the index of the field in the window, as one of words or halves; -1 for what is no field or not shared */
  #findShared(address: number, length: number, access: number): number {
    if (!this.#memory.isShared || (length !== 2 && length !== 4)) return -1;
    const window = this.#window;
    const run = this.#memory.window(address, length, access, window);
    const isField = run === length && window.words.length > 0 && window.offset % length === 0;
    return isField && window.offset + length <= window.words.length * 4
      ? window.offset / length
      : -1;
  }
}

function halvesOf(words: Int32Array): Uint16Array {
  return new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
}
