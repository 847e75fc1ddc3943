/** ProcessMemory: the memory of a program in the guest, page by page wherever the kernel had one. */
import type { PhysicalRun, UserMemory } from '@viommu/vfio';
import { type GuestMemory, VirtioError } from '@viommu/virtqueue';
import type { AddressAllocator } from './address-allocator.ts';

export interface ProcessMemoryOptions {
  /** Memory by guest-physical address. */
  readonly memory: GuestMemory;
  /** Where pages are taken from; its granule is the size of a page. */
  readonly pages: AddressAllocator;
  /** First virtual address; 0x7f0000000000 by default. */
  readonly firstAddress?: number;
}

const DEFAULT_FIRST_ADDRESS = 0x7f00_0000_0000;

export class ProcessMemory implements UserMemory {
  readonly #memory: GuestMemory;
  readonly #pages: AddressAllocator;
  /** Guest-physical address of each page, by its virtual address. */
  readonly #table = new Map<number, number>();
  #nextAddress: number;

  constructor(options: ProcessMemoryOptions) {
    this.#memory = options.memory;
    this.#pages = options.pages;
    this.#nextAddress = options.firstAddress ?? DEFAULT_FIRST_ADDRESS;
  }

  /**
   * Memory for the program, as mmap gives it.
   *
   * @param length bytes, rounded up to pages
   * @returns its virtual address
   * @throws VirtioError `NO_ADDRESSES` when the guest has no page left
   */
  mmap(length: number): number {
    const page = this.#pages.granule;
    const address = this.#nextAddress;
    const end = address + Math.ceil(length / page) * page;
    for (let next = address; next < end; next += page) {
      this.#table.set(next, this.#pages.allocate(page));
    }
    // A page stays unused, so that a program that runs over its buffer's end meets nothing.
    this.#nextAddress = end + page;
    return address;
  }

  pin(userAddress: number, length: number, _flags: number, out: PhysicalRun): boolean {
    const page = this.#pages.granule;
    const offset = userAddress % page;
    const physical = this.#table.get(userAddress - offset);
    if (physical === undefined) return false;
    out.physical = physical + offset;
    out.length = Math.min(length, page - offset);
    return true;
  }

  /** @throws VirtioError `EFAULT` when the program has nothing there, as it would be killed for */
  read(userAddress: number, target: Uint8Array): void {
    this.#access(userAddress, target, (physical, offset, length) =>
      this.#memory.read(physical, target, offset, length),
    );
  }

  /** @throws VirtioError `EFAULT` as {@link read} does */
  write(userAddress: number, source: Uint8Array): void {
    this.#access(userAddress, source, (physical, offset, length) =>
      this.#memory.write(physical, source, offset, length),
    );
  }

  #access(
    userAddress: number,
    bytes: Uint8Array,
    access: (physical: number, offset: number, length: number) => boolean,
  ): void {
    const run: PhysicalRun = { physical: 0, length: 0 };
    for (let done = 0; done < bytes.length; done += run.length) {
      const isThere = this.pin(userAddress + done, bytes.length - done, 0, run);
      if (!isThere || !access(run.physical, done, run.length)) {
        const at = (userAddress + done).toString(16);
        throw new VirtioError('EFAULT', `the program has no memory at 0x${at}`);
      }
    }
  }
}
