/** GuestRam: the memory of v86's guest, as devices reach it. */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  type MappedMemory,
  type MemoryRegion,
  WINDOW_DENIED,
  WINDOW_INVISIBLE,
} from '@viommu/virtqueue';
import type { V86Cpu } from './v86-internals.ts';

/** Up to this many bytes a loop is faster than the view that a block copy needs. */
const SHORT = 64;
/** Registers of the graphics card are there instead. */
const [HOLE_START, HOLE_END] = [0xa_0000, 0xb_ffff];

/**
 * Nothing is shown in place. Memory is given another buffer when WebAssembly has it grow, and each write has to tell the compiler of
 * the guest's code, which else goes on with what was there.
 */
export class GuestRam implements MappedMemory {
  readonly generation = 0;
  /** The guest runs in the same thread. */
  readonly isShared = false;
  readonly regions: readonly MemoryRegion[];
  readonly #cpu: V86Cpu;
  readonly #size: number;
  #bytes = new Uint8Array(0);

  constructor(cpu: V86Cpu) {
    this.#cpu = cpu;
    this.#size = cpu.memory_size[0]!;
    const access = ACCESS_READ | ACCESS_WRITE;
    this.regions = [
      { start: 0, end: HOLE_START - 1, access },
      { start: HOLE_END + 1, end: this.#size - 1, access },
    ];
  }

  window(address: number, length: number): number {
    return this.#holds(address, length) ? WINDOW_INVISIBLE : WINDOW_DENIED;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    if (!this.#holds(address, length)) return false;
    const bytes = this.#current();
    if (length > SHORT) target.set(bytes.subarray(address, address + length), targetOffset);
    else for (let at = 0; at < length; at += 1) target[targetOffset + at] = bytes[address + at]!;
    return true;
  }

  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    if (!this.#holds(address, length)) return false;
    const bytes = this.#current();
    this.#cpu.jit_dirty_cache(address, address + length);
    if (length > SHORT) bytes.set(source.subarray(sourceOffset, sourceOffset + length), address);
    else for (let at = 0; at < length; at += 1) bytes[address + at] = source[sourceOffset + at]!;
    return true;
  }

  /** All of it or nothing, which a range that begins in memory may be. */
  #holds(address: number, length: number): boolean {
    const end = address + length - 1;
    return end < this.#size && (end < HOLE_START || address > HOLE_END);
  }

  #current(): Uint8Array {
    const { buffer } = this.#cpu.wasm_memory;
    if (this.#bytes.buffer !== buffer) {
      this.#bytes = new Uint8Array(buffer, this.#cpu.mem8.byteOffset, this.#size);
    }
    return this.#bytes;
  }
}
