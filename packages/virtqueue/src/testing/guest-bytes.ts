/** GuestBytes: fields and runs of bytes in guest memory, for tests. */
import type { GuestMemory } from '../memory/guest-memory.ts';

/** Every method throws when there is no memory: the adapter's `place` is wrong then. */
export class GuestBytes {
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  write(address: number, bytes: ArrayLike<number>): void {
    const source = Uint8Array.from(bytes);
    if (source.length === 0 || this.#memory.write(address, source, 0, source.length)) return;
    throw noMemory(address, source.length);
  }

  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length);
    if (length === 0 || this.#memory.read(address, target, 0, length)) return target;
    throw noMemory(address, length);
  }

  fill(address: number, length: number, value: number): void {
    this.write(address, new Uint8Array(length).fill(value));
  }

  write16(address: number, value: number): void {
    this.write(address, [value & 0xff, value >>> 8]);
  }

  read16(address: number): number {
    const [low = 0, high = 0] = this.read(address, 2);
    return low | (high << 8);
  }
}

function noMemory(address: number, length: number): Error {
  return new Error(
    `no memory for ${length} bytes at 0x${address.toString(16)}: is the adapter's place right?`,
  );
}
