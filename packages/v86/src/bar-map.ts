/** BarMap: which registers are at which address, in v86's map of memory. */
import type { PciFunction } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';
import { MMAP_BLOCK_SIZE, type V86Cpu, type V86Read, type V86Write } from './v86-internals.ts';

interface PlacedBar {
  readonly pci: PciFunction;
  readonly bar: number;
  readonly start: number;
  readonly size: number;
}

/** What v86 calls for accesses within a block. */
interface Handlers {
  readonly read8: V86Read;
  readonly read32: V86Read;
  readonly write8: V86Write;
  readonly write32: V86Write;
}

/**
 * v86 knows blocks of 128 KiB, and a BAR can be a tenth of one: a block that has one or more is ours, and what in it is no BAR goes
 * to whom it was before. A write of 16 bits would arrive in halves, so these are taken before they are cut.
 */
export class BarMap {
  readonly #cpu: V86Cpu;
  readonly #written: () => void;
  readonly #bars: PlacedBar[] = [];
  /** What was there before, of blocks that are ours. */
  readonly #former = new Map<number, Handlers>();

  /** @param written called after each write to a register */
  constructor(cpu: V86Cpu, written: () => void) {
    this.#cpu = cpu;
    this.#written = written;
    const cut = cpu.mmap_write16;
    cpu.mmap_write16 = (address, value) => {
      const placed = this.#find(address, 2);
      if (placed === undefined) cut.call(cpu, address, value);
      else this.#write(placed, address, 2, value);
    };
  }

  /** @param start undefined where the BAR is nowhere; nor is it where memory is */
  place(pci: PciFunction, bar: number, size: number, start: number | undefined): void {
    const index = this.#bars.findIndex((placed) => placed.pci === pci && placed.bar === bar);
    if (index >= 0 && this.#bars[index]!.start === start) return;
    if (index >= 0) this.#bars.splice(index, 1);
    const isFree = start !== undefined && start >= this.#cpu.memory_size[0]!;
    if (isFree) this.#bars.push({ pci, bar, start, size });
    this.#claim();
  }

  /** Takes the blocks that have BARs, and gives the others back. */
  #claim(): void {
    const blocks = new Set<number>();
    for (const { start, size } of this.#bars) {
      const last = (start + size - 1) / MMAP_BLOCK_SIZE;
      for (let block = Math.floor(start / MMAP_BLOCK_SIZE); block <= last; block += 1) {
        blocks.add(block);
      }
    }
    for (const [block, former] of this.#former) {
      if (blocks.has(block)) continue;
      this.#put(block, former);
      this.#former.delete(block);
    }
    for (const block of blocks) if (!this.#former.has(block)) this.#take(block);
  }

  #take(block: number): void {
    const cpu = this.#cpu;
    const former: Handlers = {
      read8: cpu.memory_map_read8[block]!,
      read32: cpu.memory_map_read32[block]!,
      write8: cpu.memory_map_write8[block]!,
      write32: cpu.memory_map_write32[block]!,
    };
    this.#former.set(block, former);
    this.#put(block, {
      read8: (address) => this.#read(address, 1) ?? former.read8(address),
      read32: (address) => (this.#read(address, 4) ?? former.read32(address)) | 0,
      write8: (address, value) => {
        const placed = this.#find(address, 1);
        if (placed === undefined) former.write8(address, value);
        else this.#write(placed, address, 1, value & 0xff);
      },
      write32: (address, value) => {
        const placed = this.#find(address, 4);
        if (placed === undefined) former.write32(address, value);
        else this.#write(placed, address, 4, value >>> 0);
      },
    });
  }

  #put(block: number, { read8, read32, write8, write32 }: Handlers): void {
    const cpu = this.#cpu;
    cpu.memory_map_read8[block] = read8;
    cpu.memory_map_read32[block] = read32;
    cpu.memory_map_write8[block] = write8;
    cpu.memory_map_write32[block] = write32;
  }

  #find(address: number, width: AccessWidth): PlacedBar | undefined {
    const first = address >>> 0;
    return this.#bars.find(({ start, size }) => first >= start && first + width <= start + size);
  }

  #read(address: number, width: AccessWidth): number | undefined {
    const placed = this.#find(address, width);
    return placed?.pci.readBar(placed.bar, (address >>> 0) - placed.start, width);
  }

  #write({ pci, bar, start }: PlacedBar, address: number, width: AccessWidth, value: number): void {
    pci.writeBar(bar, (address >>> 0) - start, width, value);
    this.#written();
  }
}
