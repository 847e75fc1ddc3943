/**
 * WatchedMemory: memory as a device sees it, which counts its accesses, refuses arguments that break the contract, and lets a
 * driver intervene.
 */
import {
  createMemoryWindow,
  type GuestMemory,
  type MemoryWindow,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import { violated } from '../engine/invariant.ts';

export class WatchedMemory implements GuestMemory {
  /** Calls so far. */
  accesses = 0;
  readonly #memory: GuestMemory;
  readonly #pieceLength: number;
  readonly #unseen = createMemoryWindow();
  #interveneAt = -1;
  #intervene: () => void = () => {};

  /** @param pieceLength no window reaches beyond a multiple of it; with 0 nothing is shown, as by a VMM that shares no memory */
  constructor(memory: GuestMemory, pieceLength = Number.POSITIVE_INFINITY) {
    this.#memory = memory;
    this.#pieceLength = pieceLength;
  }

  get generation(): number {
    return this.#memory.generation;
  }

  get isShared(): boolean {
    return this.#memory.isShared;
  }

  /** Something happens after `count` further accesses, once. */
  interveneAfter(count: number, intervene: () => void): void {
    this.#interveneAt = this.accesses + count;
    this.#intervene = intervene;
  }

  /** Nothing happens any more. */
  reset(): void {
    this.#interveneAt = -1;
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    this.#check(address, length);
    if (access < 1 || access > 3) violated(`a window for the access ${access}`);
    const run = this.#show(address, length, access, out);
    this.#count();
    return run;
  }

  #show(address: number, length: number, access: number, out: MemoryWindow): number {
    const piece = this.#pieceLength;
    if (piece === 0) {
      return Math.min(this.#memory.window(address, length, access, this.#unseen), WINDOW_INVISIBLE);
    }
    const left = piece === Number.POSITIVE_INFINITY ? length : piece - (address % piece);
    return this.#memory.window(address, Math.min(length, left), access, out);
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    this.#check(address, length);
    this.#checkArray(target, targetOffset, length);
    const isDone = this.#memory.read(address, target, targetOffset, length);
    this.#count();
    return isDone;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    this.#check(address, length);
    this.#checkArray(source, sourceOffset, length);
    const isDone = this.#memory.write(address, source, sourceOffset, length);
    this.#count();
    return isDone;
  }

  /** "Addresses and lengths are in bytes, integers [...] Lengths are at least 1." */
  #check(address: number, length: number): void {
    if (!Number.isInteger(address) || address < 0) violated(`an access at ${address}`);
    if (!Number.isInteger(length) || length < 1) violated(`an access of ${length} bytes`);
  }

  #checkArray(array: Uint8Array, offset: number, length: number): void {
    if (!Number.isInteger(offset) || offset < 0 || offset + length > array.length) {
      violated(`an access of ${length} bytes at ${offset} of an array of ${array.length}`);
    }
  }

  #count(): void {
    this.accesses += 1;
    if (this.accesses === this.#interveneAt) this.#intervene();
  }
}
