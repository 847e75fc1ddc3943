/** RingFields: the fields of one ring part, one by one, for the driver's side. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import { RingPart } from '../ring/ring-part.ts';
import { outsideMemory } from './descriptor-writer.ts';

/** Loads and stores of 16 and 32 bits at even offsets in bytes; each throws VirtioError `RING_MEMORY` when there is no memory. */
export class RingFields {
  readonly #memory: GuestMemory;
  readonly #part: RingPart;
  #generation = -1;
  #isShared = false;

  /** As of RingPart. */
  constructor(memory: GuestMemory, address: number, length: number, access: number) {
    this.#memory = memory;
    this.#part = new RingPart(memory, address, length, access);
  }

  /** To be called before each operation on the ring: the part may have moved. */
  refresh(): void {
    if (this.#memory.generation === this.#generation) return;
    this.#generation = this.#memory.generation;
    this.#isShared = this.#memory.isShared;
    check(this.#part.refresh());
  }

  /** Signed. */
  load32(offset: number): number {
    const part = this.#part;
    check(part.fetch(offset, 4));
    return part.words[part.start + (offset >> 2)]!;
  }

  store16(offset: number, value: number): void {
    const part = this.#part;
    part.halves[part.startHalf + (offset >> 1)] = value;
    check(part.flush(offset, 2));
  }

  /** Loads an index, flags or event field; no later access is done before it. */
  loadShared16(offset: number): number {
    const part = this.#part;
    check(part.fetchShared(offset, 2));
    const at = part.startHalf + (offset >> 1);
    return this.#isShared ? Atomics.load(part.halves, at) : part.halves[at]!;
  }

  /** Stores an index, flags or event field; every earlier access is done before it. */
  storeShared16(offset: number, value: number): void {
    const part = this.#part;
    const at = part.startHalf + (offset >> 1);
    if (this.#isShared) Atomics.store(part.halves, at, value);
    else part.halves[at] = value;
    check(part.flushShared(offset, 2));
  }

  /** As {@link loadShared16}, for two fields that belong together; signed. */
  loadShared32(offset: number): number {
    const part = this.#part;
    check(part.fetchShared(offset, 4));
    const at = part.start + (offset >> 2);
    return this.#isShared ? Atomics.load(part.words, at) : part.words[at]!;
  }

  /** As {@link storeShared16}, for two fields that belong together. */
  storeShared32(offset: number, value: number): void {
    const part = this.#part;
    const at = part.start + (offset >> 2);
    if (this.#isShared) Atomics.store(part.words, at, value);
    else part.words[at] = value;
    check(part.flushShared(offset, 4));
  }
}

function check(isThere: boolean): void {
  if (!isThere) throw outsideMemory();
}
