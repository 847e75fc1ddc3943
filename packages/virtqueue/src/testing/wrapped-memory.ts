/** Memories that behave as badly as the contract allows, to run devices and rings on: scattered, and out of sight. */
import { type GuestMemory, type MemoryWindow, WINDOW_INVISIBLE } from '../memory/guest-memory.ts';

/** Shows runs of a few bytes only, as a mapping per page does. */
export class ScatteredGuestMemory implements GuestMemory {
  readonly #memory: GuestMemory;
  readonly #pieceLength: number;

  /** @param pieceLength no window reaches beyond a multiple of it */
  constructor(memory: GuestMemory, pieceLength: number) {
    this.#memory = memory;
    this.#pieceLength = pieceLength;
  }

  get generation(): number {
    return this.#memory.generation;
  }

  get isShared(): boolean {
    return this.#memory.isShared;
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const piece = this.#pieceLength - (address % this.#pieceLength);
    return this.#memory.window(address, Math.min(length, piece), access, out);
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    return this.#memory.read(address, target, targetOffset, length);
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    return this.#memory.write(address, source, sourceOffset, length);
  }
}

/** Shows nothing, as a VMM that shares no memory; counts what would each be a message to it. */
export class InvisibleGuestMemory implements GuestMemory {
  messages = 0;
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  get generation(): number {
    return this.#memory.generation;
  }

  get isShared(): boolean {
    return this.#memory.isShared;
  }

  window(address: number, length: number, access: number, out: MemoryWindow): number {
    const unseen = { ...out };
    return Math.min(this.#memory.window(address, length, access, unseen), WINDOW_INVISIBLE);
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    this.messages += 1;
    return this.#memory.read(address, target, targetOffset, length);
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    this.messages += 1;
    return this.#memory.write(address, source, sourceOffset, length);
  }
}
