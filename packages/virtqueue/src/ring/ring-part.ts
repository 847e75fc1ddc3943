/** RingPart: one of the three areas of a virtqueue, wherever its bytes are: in place, scattered, or behind messages. */

import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import { type GuestMemory, type MemoryWindow, WINDOW_INVISIBLE } from '../memory/guest-memory.ts';

/** Of a 32-bit field. */
const ALIGNMENT = 4;
/** The longest thing that is copied in or out at once: a descriptor. */
const SCRATCH_SIZE = 16;

/**
 * Loads and stores of 16 and 32 bits at even offsets of a ring part. When the whole part is one aligned run of visible
 * bytes it is read through typed arrays; otherwise each field is looked up by itself. Either way a field is one access.
 *
 * Indices and event fields go through `Atomics`, whose loads and stores are sequentially consistent: the driver is
 * another thread, or a CPU of another process. The other fields are ordered by them.
 */
export class RingPart {
  /** An access failed: the part is not in memory, or not any more. Looked at once per operation, not at each load. */
  failed = false;
  readonly #memory: GuestMemory;
  readonly #address: number;
  readonly #length: number;
  readonly #access: number;
  readonly #window: MemoryWindow = createMemoryWindow();
  readonly #scratch = new Uint8Array(SCRATCH_SIZE);
  readonly #scratchView = new DataView(this.#scratch.buffer);
  #generation = Number.NaN;
  /** Whether the whole part is in place, from `#start` on in the views. */
  #inPlace = false;
  #start = 0;
  /** Views of the whole buffer, so that a part that moves within it needs no new ones. */
  #buffer: ArrayBufferLike = this.#scratch.buffer;
  #words = new Uint16Array(this.#buffer);
  #doublewords = new Uint32Array(this.#buffer);
  #signed = new Int32Array(this.#buffer);

  constructor(memory: GuestMemory, address: number, length: number, access: number) {
    this.#memory = memory;
    this.#address = address;
    this.#length = length;
    this.#access = access;
  }

  /** Looks the part up anew when it may have moved. To be called before each operation on the ring. */
  refresh(): boolean {
    if (this.#memory.generation !== this.#generation) {
      this.#generation = this.#memory.generation;
      const run = this.#find(0, this.#length);
      this.#inPlace = run === this.#length;
      if (run < WINDOW_INVISIBLE) this.failed = true;
    }
    return !this.failed;
  }

  load16(offset: number): number {
    if (this.#inPlace) return this.#words[(this.#start + offset) >>> 1]!;
    return this.#copyIn(offset, 2) ? this.#scratchView.getUint16(0, true) : 0;
  }

  load32(offset: number): number {
    if (this.#inPlace) return this.#doublewords[(this.#start + offset) >>> 2]!;
    return this.#copyIn(offset, 4) ? this.#scratchView.getUint32(0, true) : 0;
  }

  /** Whether fields are loaded where they are. Otherwise each access may cost a message, and few long ones are better. */
  get isInPlace(): boolean {
    return this.#inPlace;
  }

  /** Copies the 16 bytes of a descriptor; `failed` tells whether they came. The view is good until the next access. */
  copyDescriptor(offset: number): DataView {
    this.#copyIn(offset, SCRATCH_SIZE);
    return this.#scratchView;
  }

  store16(offset: number, value: number): void {
    if (this.#inPlace) {
      this.#words[(this.#start + offset) >>> 1] = value;
      return;
    }
    this.#scratchView.setUint16(0, value, true);
    this.#copyOut(offset, 2);
  }

  store32(offset: number, value: number): void {
    if (this.#inPlace) {
      this.#doublewords[(this.#start + offset) >>> 2] = value;
      return;
    }
    this.#scratchView.setUint32(0, value, true);
    this.#copyOut(offset, 4);
  }

  /** Stores two fields, one after the other in memory. */
  storePair32(offset: number, first: number, second: number): void {
    if (this.#inPlace) {
      this.#doublewords[(this.#start + offset) >>> 2] = first;
      this.#doublewords[(this.#start + offset + 4) >>> 2] = second;
      return;
    }
    this.#scratchView.setUint32(0, first, true);
    this.#scratchView.setUint32(4, second, true);
    this.#copyOut(offset, 8);
  }

  /** Loads an index, flags or event field; no later access is done before it. */
  loadShared16(offset: number): number {
    if (this.#inPlace) return Atomics.load(this.#words, (this.#start + offset) >>> 1);
    if (this.#find(offset, 2) === 2) return Atomics.load(this.#words, this.#start >>> 1);
    return this.load16(offset);
  }

  /** Stores an index, flags or event field; every earlier access is done before it. */
  storeShared16(offset: number, value: number): void {
    if (this.#inPlace) {
      Atomics.store(this.#words, (this.#start + offset) >>> 1, value);
      return;
    }
    if (this.#find(offset, 2) === 2) {
      Atomics.store(this.#words, this.#start >>> 1, value);
      return;
    }
    this.store16(offset, value);
  }

  /** As {@link loadShared16}, for two fields that belong together; signed, since a number above 2^31 would be allocated. */
  loadShared32(offset: number): number {
    if (this.#inPlace) return Atomics.load(this.#signed, (this.#start + offset) >>> 2);
    if (this.#find(offset, 4) === 4) return Atomics.load(this.#signed, this.#start >>> 2);
    return this.load32(offset) | 0;
  }

  /** As {@link storeShared16}, for two fields that belong together; signed. */
  storeShared32(offset: number, value: number): void {
    if (this.#inPlace) {
      Atomics.store(this.#signed, (this.#start + offset) >>> 2, value);
      return;
    }
    if (this.#find(offset, 4) === 4) {
      Atomics.store(this.#signed, this.#start >>> 2, value);
      return;
    }
    this.store32(offset, value);
  }

  /** Points the views at a run of the part; the answer is that of {@link GuestMemory.window}. */
  #find(offset: number, length: number): number {
    const window = this.#window;
    const run = this.#memory.window(this.#address + offset, length, this.#access, window);
    if (run <= WINDOW_INVISIBLE) return run;
    const start = window.bytes.byteOffset + window.offset;
    // Regions that do not lie as the fields do are legal, and slow: each field is copied.
    if (start % ALIGNMENT !== (this.#address + offset) % ALIGNMENT) return WINDOW_INVISIBLE;
    const { buffer } = window.bytes;
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#words = new Uint16Array(buffer, 0, Math.floor(buffer.byteLength / 2));
      this.#doublewords = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
      this.#signed = new Int32Array(buffer, 0, this.#doublewords.length);
    }
    this.#start = start;
    return run;
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
