/** RingPart: one of the three areas of a virtqueue, wherever its bytes are: in place, scattered, or behind messages. */

import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import { type GuestMemory, type MemoryWindow, WINDOW_INVISIBLE } from '../memory/guest-memory.ts';

/** Of a 32-bit field. */
const ALIGNMENT = 4;
/** The longest thing that is copied in or out at once: a descriptor. */
const SCRATCH_SIZE = 16;
const NOT_ATOMIC = -1;

/**
 * Loads and stores of 16 and 32 bits at even offsets of a ring part. When the whole part is one run of visible bytes it is
 * accessed in place; otherwise each field is looked up by itself. Either way a field is one access.
 *
 * In memory that others access meanwhile, indices and event fields go through `Atomics`, whose loads and stores are
 * sequentially consistent: the driver is another thread, or a CPU of another process. The other fields are ordered by
 * them. In memory of this thread alone all accesses are in program order anyway, and `Atomics`, 7 ns each, are left out.
 */
export class RingPart {
  /** An access failed: the part is not in memory, or not any more. Looked at once per operation, not at each load. */
  failed = false;
  /**
   * Whether fields are accessed where they are, from `start` on in `view`. Otherwise each access may cost a message, and
   * few long ones are better.
   */
  isInPlace = false;
  start = 0;
  view: DataView;
  readonly #memory: GuestMemory;
  readonly #address: number;
  readonly #length: number;
  readonly #access: number;
  readonly #window: MemoryWindow = createMemoryWindow();
  readonly #scratch = new Uint8Array(SCRATCH_SIZE);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #generation = Number.NaN;
  #isShared = false;
  /** For Atomics, views of the whole buffer, so that a part that moves within it needs no new ones; and the start in it. */
  #words = new Uint16Array<ArrayBufferLike>(this.#scratch.buffer);
  #doublewords = new Int32Array<ArrayBufferLike>(this.#scratch.buffer);
  #startInBuffer = 0;

  constructor(memory: GuestMemory, address: number, length: number, access: number) {
    this.#memory = memory;
    this.#address = address;
    this.#length = length;
    this.#access = access;
    this.view = this.#scratchView;
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
    if (this.isInPlace) return this.view.getUint16(this.start + offset, true);
    return this.#copyIn(offset, 2) ? this.#scratchView.getUint16(0, true) : 0;
  }

  /** Unsigned. */
  load32(offset: number): number {
    if (this.isInPlace) return this.view.getUint32(this.start + offset, true);
    return this.#copyIn(offset, 4) ? this.#scratchView.getUint32(0, true) : 0;
  }

  /** Copies the 16 bytes of a descriptor; `failed` tells whether they came. The view is good until the next access. */
  copyDescriptor(offset: number): DataView {
    this.#copyIn(offset, SCRATCH_SIZE);
    return this.#scratchView;
  }

  store16(offset: number, value: number): void {
    if (this.isInPlace) {
      this.view.setUint16(this.start + offset, value, true);
      return;
    }
    this.#scratchView.setUint16(0, value, true);
    this.#copyOut(offset, 2);
  }

  store32(offset: number, value: number): void {
    if (this.isInPlace) {
      this.view.setUint32(this.start + offset, value, true);
      return;
    }
    this.#scratchView.setUint32(0, value, true);
    this.#copyOut(offset, 4);
  }

  /** Stores two fields, one after the other in memory. */
  storePair32(offset: number, first: number, second: number): void {
    if (this.isInPlace) {
      this.view.setUint32(this.start + offset, first, true);
      this.view.setUint32(this.start + offset + 4, second, true);
      return;
    }
    this.#scratchView.setUint32(0, first, true);
    this.#scratchView.setUint32(4, second, true);
    this.#copyOut(offset, 8);
  }

  /** Loads an index, flags or event field; no later access is done before it. */
  loadShared16(offset: number): number {
    const place = this.#isShared ? this.#findAtomic(offset, 2) : NOT_ATOMIC;
    return place === NOT_ATOMIC ? this.load16(offset) : Atomics.load(this.#words, place / 2);
  }

  /** Stores an index, flags or event field; every earlier access is done before it. */
  storeShared16(offset: number, value: number): void {
    const place = this.#isShared ? this.#findAtomic(offset, 2) : NOT_ATOMIC;
    if (place === NOT_ATOMIC) this.store16(offset, value);
    else Atomics.store(this.#words, place / 2, value);
  }

  /** As {@link loadShared16}, for two fields that belong together; signed, since a number above 2^31 would be allocated. */
  loadShared32(offset: number): number {
    const place = this.#isShared ? this.#findAtomic(offset, 4) : NOT_ATOMIC;
    return place === NOT_ATOMIC
      ? this.load32(offset) | 0
      : Atomics.load(this.#doublewords, place / 4);
  }

  /** As {@link storeShared16}, for two fields that belong together; signed. */
  storeShared32(offset: number, value: number): void {
    const place = this.#isShared ? this.#findAtomic(offset, 4) : NOT_ATOMIC;
    if (place === NOT_ATOMIC) this.store32(offset, value);
    else Atomics.store(this.#doublewords, place / 4, value);
  }

  /** Where in the buffer a field of shared memory is, unless it must be copied. */
  #findAtomic(offset: number, length: number): number {
    if (this.isInPlace) return this.#startInBuffer + offset;
    return this.#find(offset, length) === length ? this.#startInBuffer : NOT_ATOMIC;
  }

  /** Points the views at a run of the part; the answer is that of {@link GuestMemory.window}. */
  #find(offset: number, length: number): number {
    const window = this.#window;
    const run = this.#memory.window(this.#address + offset, length, this.#access, window);
    if (run <= WINDOW_INVISIBLE) return run;
    if (this.#isShared && !this.#findInBuffer(this.#address + offset)) return WINDOW_INVISIBLE;
    this.view = window.view;
    this.start = window.offset;
    return run;
  }

  /** Regions of shared memory that do not lie as the fields do are legal, and slow: each field is copied. */
  #findInBuffer(address: number): boolean {
    const { bytes, offset } = this.#window;
    this.#startInBuffer = bytes.byteOffset + offset;
    if (this.#startInBuffer % ALIGNMENT !== address % ALIGNMENT) return false;
    const { buffer } = bytes;
    if (buffer !== this.#words.buffer) {
      this.#words = new Uint16Array(buffer, 0, Math.floor(buffer.byteLength / 2));
      this.#doublewords = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    }
    return true;
  }

  #copyIn(offset: number, length: number): boolean {
    if (this.#memory.read(this.#address + offset, this.#scratch, 0, length)) return true;
    this.failed = true;
    return false;
  }

  #copyOut(offset: number, length: number): void {
    if (!this.#memory.write(this.#address + offset, this.#scratch, 0, length)) this.failed = true;
  }
}
