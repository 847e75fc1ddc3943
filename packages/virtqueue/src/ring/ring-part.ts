/** RingPart: one of the three areas of a virtqueue, wherever its bytes are: in place, scattered, or behind messages. */

import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import { type GuestMemory, type MemoryWindow, WINDOW_INVISIBLE } from '../memory/guest-memory.ts';

/** Of a 32-bit field. */
const ALIGNMENT = 4;
/** The longest thing that is copied in or out at once, in words: a descriptor. */
const SCRATCH_WORDS = 4;

/**
 * Loads and stores of 16 and 32 bits at even offsets of a ring part. When the whole part is one aligned run of visible
 * bytes it is accessed in place; otherwise each field is looked up by itself. Either way a field is one access.
 *
 * In memory that others access meanwhile, indices and event fields go through `Atomics`, whose loads and stores are
 * sequentially consistent: the driver is another thread, or a CPU of another process. So a store of one's own index is
 * before a load of the other side's event field, which acquire and release alone would not give. The other fields are
 * ordered by them. In memory of this thread alone the driver sees everything in program order, and `Atomics`, 7 ns each,
 * are left out.
 */
export class RingPart {
  /** An access failed: the part is not in memory, or not any more. Looked at once per operation, not at each load. */
  failed = false;
  /**
   * Whether fields are accessed where they are, from the index `start` on in `words`. Otherwise each access may cost a
   * message, and few long ones are better.
   */
  isInPlace = false;
  words: Int32Array;
  start = 0;
  readonly #memory: GuestMemory;
  readonly #address: number;
  readonly #length: number;
  readonly #access: number;
  readonly #window: MemoryWindow = createMemoryWindow();
  readonly #scratch = new Int32Array(SCRATCH_WORDS);
  readonly #scratchBytes = new Uint8Array(this.#scratch.buffer);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #generation = -1;
  #isShared = false;
  /** The same as `words`, by halves. */
  #halves: Uint16Array;
  #startHalf = 0;

  constructor(memory: GuestMemory, address: number, length: number, access: number) {
    this.#memory = memory;
    this.#address = address;
    this.#length = length;
    this.#access = access;
    this.words = this.#scratch;
    this.#halves = new Uint16Array(this.#scratch.buffer);
  }

  /** Looks the part up anew when it may have moved. To be called before each operation on the ring. */
  refresh(): boolean {
    if (this.#memory.generation !== this.#generation) {
      this.#generation = this.#memory.generation;
      this.#isShared = this.#memory.isShared;
      const run = this.#find(0, this.#length);
      this.isInPlace = run === this.#length;
      if (run < WINDOW_INVISIBLE) this.failed = true;
    }
    return !this.failed;
  }

  load16(offset: number): number {
    if (this.isInPlace) return this.#halves[this.#startHalf + (offset >> 1)]!;
    return this.#copyIn(offset, 2) ? this.#scratchView.getUint16(0, true) : 0;
  }

  /** Signed, since a number above 2^31 would be allocated. */
  load32(offset: number): number {
    if (this.isInPlace) return this.words[this.start + (offset >> 2)]!;
    return this.#copyIn(offset, 4) ? this.#scratchView.getInt32(0, true) : 0;
  }

  /** Copies the four words of a descriptor; `failed` tells whether they came. They are good until the next access. */
  copyDescriptor(offset: number): Int32Array {
    this.#copyIn(offset, SCRATCH_WORDS * 4);
    return this.#scratch;
  }

  store16(offset: number, value: number): void {
    if (this.isInPlace) {
      this.#halves[this.#startHalf + (offset >> 1)] = value;
      return;
    }
    this.#scratchView.setUint16(0, value, true);
    this.#copyOut(offset, 2);
  }

  store32(offset: number, value: number): void {
    if (this.isInPlace) {
      this.words[this.start + (offset >> 2)] = value;
      return;
    }
    this.#scratchView.setUint32(0, value, true);
    this.#copyOut(offset, 4);
  }

  /** Stores two fields, one after the other in memory. */
  storePair32(offset: number, first: number, second: number): void {
    if (this.isInPlace) {
      const at = this.start + (offset >> 2);
      this.words[at] = first;
      this.words[at + 1] = second;
      return;
    }
    this.#scratchView.setUint32(0, first, true);
    this.#scratchView.setUint32(4, second, true);
    this.#copyOut(offset, 8);
  }

  /** Loads an index, flags or event field; no later access is done before it. */
  loadShared16(offset: number): number {
    if (!this.#isShared || !this.#isAtomic(offset, 2)) return this.load16(offset);
    return Atomics.load(this.#halves, this.#atomicHalf(offset));
  }

  /** Stores an index, flags or event field; every earlier access is done before it. */
  storeShared16(offset: number, value: number): void {
    if (!this.#isShared || !this.#isAtomic(offset, 2)) this.store16(offset, value);
    else Atomics.store(this.#halves, this.#atomicHalf(offset), value);
  }

  /** As {@link loadShared16}, for two fields that belong together. */
  loadShared32(offset: number): number {
    if (!this.#isShared || !this.#isAtomic(offset, 4)) return this.load32(offset);
    return Atomics.load(this.words, this.#atomicHalf(offset) / 2);
  }

  /** As {@link storeShared16}, for two fields that belong together. */
  storeShared32(offset: number, value: number): void {
    if (!this.#isShared || !this.#isAtomic(offset, 4)) this.store32(offset, value);
    else Atomics.store(this.words, this.#atomicHalf(offset) / 2, value);
  }

  /** Whether a field can be accessed where it is: by itself, when not the whole part can. */
  #isAtomic(offset: number, length: number): boolean {
    return this.isInPlace || this.#find(offset, length) === length;
  }

  #atomicHalf(offset: number): number {
    return this.isInPlace ? this.#startHalf + (offset >> 1) : this.#startHalf;
  }

  /** Points the views at a run of the part; the answer is that of {@link GuestMemory.window}. */
  #find(offset: number, length: number): number {
    const window = this.#window;
    const address = this.#address + offset;
    const run = this.#memory.window(address, length, this.#access, window);
    if (run <= WINDOW_INVISIBLE) return run;
    const { words } = window;
    // Regions that do not lie as the fields do are legal, and slow: each field is copied.
    const isAligned = words.length > 0 && window.offset % ALIGNMENT === address % ALIGNMENT;
    if (!isAligned) return WINDOW_INVISIBLE;
    if (words !== this.words) {
      this.words = words;
      // Of a word that the region ends within, too.
      this.#halves = new Uint16Array(words.buffer, words.byteOffset, window.bytes.length >>> 1);
    }
    this.start = Math.floor(window.offset / 4);
    this.#startHalf = window.offset / 2;
    return run;
  }

  #copyIn(offset: number, length: number): boolean {
    if (this.#memory.read(this.#address + offset, this.#scratchBytes, 0, length)) return true;
    this.failed = true;
    return false;
  }

  #copyOut(offset: number, length: number): void {
    if (!this.#memory.write(this.#address + offset, this.#scratchBytes, 0, length))
      this.failed = true;
  }
}
