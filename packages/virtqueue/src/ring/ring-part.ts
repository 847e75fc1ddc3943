/** RingPart: one of the three areas of a virtqueue, wherever its bytes are: in place, scattered, or behind messages. */
import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import { type GuestMemory, type MemoryWindow, WINDOW_INVISIBLE } from '../memory/guest-memory.ts';

/** Of a 32-bit field. */
const ALIGNMENT = 4;

/**
 * Shows a ring part as arrays of words and half-words, which the ring reads and writes itself: with a call for each field
 * a chain takes half as long again. When the whole part is one aligned run of visible bytes, the arrays are guest memory,
 * and `isInPlace`. Otherwise they are a copy: the ring fetches each field before it reads it, and flushes what it wrote.
 *
 * In memory that others access meanwhile, indices and event fields go through `Atomics`, whose loads and stores are
 * sequentially consistent: the driver is another thread, or a CPU of another process. So a store of one's own index is
 * before a load of the other side's event field, which acquire and release alone would not give. The other fields are
 * ordered by them. In memory of this thread alone the driver sees everything in program order, and `Atomics`, 7 ns each,
 * are left out.
 */
export class RingPart {
  isInPlace = false;
  /** From the index `start` on. */
  words: Int32Array = new Int32Array(0);
  start = 0;
  /** The same by halves, from the index `startHalf` on. */
  halves: Uint16Array = new Uint16Array(0);
  startHalf = 0;
  readonly #memory: GuestMemory;
  readonly #address: number;
  readonly #length: number;
  readonly #access: number;
  readonly #window: MemoryWindow = createMemoryWindow();
  #copy: Uint8Array | undefined;

  /** @param length in bytes */
  constructor(memory: GuestMemory, address: number, length: number, access: number) {
    this.#memory = memory;
    this.#address = address;
    this.#length = length;
    this.#access = access;
  }

  /** Looks the part up anew. To be called when it may have moved. @returns false when it is not in memory */
  refresh(): boolean {
    const run = this.#find(0, this.#length);
    this.isInPlace = run === this.#length;
    if (this.isInPlace) this.#show(this.#window);
    else if (run >= WINDOW_INVISIBLE) this.#showCopy();
    return run >= WINDOW_INVISIBLE;
  }

  /** Brings a run of bytes into the arrays. @returns false when it is not in memory any more */
  fetch(offset: number, length: number): boolean {
    if (this.isInPlace) return true;
    return this.#memory.read(this.#address + offset, this.#copy!, offset, length);
  }

  /** Takes a run of bytes out of the arrays. @returns false when it is not in memory any more */
  flush(offset: number, length: number): boolean {
    if (this.isInPlace) return true;
    return this.#memory.write(this.#address + offset, this.#copy!, offset, length);
  }

  /** As {@link fetch}, for an index or event field, of 2 or 4 bytes: no later access is done before it. */
  fetchShared(offset: number, length: 2 | 4): boolean {
    if (this.isInPlace || !this.#memory.isShared || this.#find(offset, length) !== length) {
      return this.fetch(offset, length);
    }
    const { words, bytes } = this.#window;
    const at = this.#window.offset / length;
    if (length === 4) this.words[offset / 4] = Atomics.load(words, at);
    else this.halves[offset / 2] = Atomics.load(halvesOf(words, bytes.length), at);
    return true;
  }

  /** As {@link flush}, for an index or event field, of 2 or 4 bytes: every earlier access is done before it. */
  flushShared(offset: number, length: 2 | 4): boolean {
    if (this.isInPlace || !this.#memory.isShared || this.#find(offset, length) !== length) {
      return this.flush(offset, length);
    }
    const { words, bytes } = this.#window;
    const at = this.#window.offset / length;
    if (length === 4) Atomics.store(words, at, this.words[offset / 4]!);
    else Atomics.store(halvesOf(words, bytes.length), at, this.halves[offset / 2]!);
    return true;
  }

  /** Points the window at a run of the part; the answer is that of {@link GuestMemory.window}. */
  #find(offset: number, length: number): number {
    const window = this.#window;
    const address = this.#address + offset;
    const run = this.#memory.window(address, length, this.#access, window);
    if (run <= WINDOW_INVISIBLE) return run;
    // Regions that do not lie as the fields do are legal, and slow: each field is copied.
    const isAligned = window.words.length > 0 && window.offset % ALIGNMENT === address % ALIGNMENT;
    return isAligned ? run : WINDOW_INVISIBLE;
  }

  #show({ words, bytes, offset }: MemoryWindow): void {
    if (words !== this.words) {
      this.words = words;
      this.halves = halvesOf(words, bytes.length);
    }
    this.start = Math.floor(offset / 4);
    this.startHalf = offset / 2;
  }

  #showCopy(): void {
    this.#copy ??= new Uint8Array(Math.ceil(this.#length / 4) * 4);
    this.words = new Int32Array(this.#copy.buffer);
    this.halves = halvesOf(this.words, this.#copy.length);
    this.start = 0;
    this.startHalf = 0;
  }
}

/** Of a word that the region ends within, too. */
function halvesOf(words: Int32Array, length: number): Uint16Array {
  return new Uint16Array(words.buffer, words.byteOffset, length >>> 1);
}
