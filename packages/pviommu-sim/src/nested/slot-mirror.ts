/** SlotMirror: keeps stage 2 as a VMM announces it: memory that it has given to a device appears as slots. */
import type { MappedMemory, MemoryRegion } from '@viommu/virtqueue';
import type { HostMemory } from '../host/host-memory.ts';
import type { MemorySlots } from './memory-slots.ts';

interface Mirrored {
  readonly memory: MappedMemory;
  readonly region: MemoryRegion;
  readonly userAddress: number;
}

const PAGE = 4096;

export class SlotMirror {
  readonly #slots: MemorySlots;
  readonly #host: HostMemory;
  #mirrored: Mirrored[] = [];

  constructor(slots: MemorySlots, host: HostMemory) {
    this.#slots = slots;
    this.#host = host;
  }

  /**
   * Takes away the slots whose region is gone, and adds one for each that is new; the others are left alone. A region that
   * is not whole pages gets none: no IOMMU could map it.
   *
   * @param memory undefined when the VMM has left
   */
  update(memory: MappedMemory | undefined): void {
    const regions = memory?.regions.filter(isPages) ?? [];
    const isKept = (entry: Mirrored): boolean =>
      entry.memory === memory && regions.some((region) => isSame(region, entry.region));
    for (const { region, userAddress } of this.#mirrored.filter((entry) => !isKept(entry))) {
      this.#slots.remove(region.start);
      this.#host.unmap(userAddress);
    }
    this.#mirrored = this.#mirrored.filter(isKept);
    for (const region of regions) {
      if (this.#mirrored.some((entry) => isSame(entry.region, region))) continue;
      this.#add(memory!, region);
    }
  }

  #add(memory: MappedMemory, region: MemoryRegion): void {
    const { start, end, access } = region;
    const length = end - start + 1;
    const userAddress = this.#host.mapMemory(memory, start, length);
    this.#slots.add({ guestStart: start, length, userAddress, access });
    this.#mirrored.push({ memory, region, userAddress });
  }
}

function isPages({ start, end }: MemoryRegion): boolean {
  return start % PAGE === 0 && (end + 1) % PAGE === 0;
}

function isSame(a: MemoryRegion, b: MemoryRegion): boolean {
  return a.start === b.start && a.end === b.end && a.access === b.access;
}
