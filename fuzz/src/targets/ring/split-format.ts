/** The split virtqueue as a target: its parts, and a driver that writes it. Numbers are written out from the standard. */
import { SplitVirtqueue } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import type { GuestArena } from '../../memory/guest-arena.ts';
import type { RingPlace } from '../../models/ring-model.ts';
import { SplitModel } from '../../models/split-model.ts';
import type { RingFormat, RingWriter } from './ring-format.ts';
import { type Le64, le64, readAddress, readIndex, readLength, readShape } from './values.ts';

const [NEXT, WRITE, INDIRECT] = [1, 2, 4];

const COMMON_SIZES = [8, 4, 1, 2, 16, 64];

export const splitFormat: RingFormat = {
  sizes: [
    ...COMMON_SIZES,
    128,
    ...COMMON_SIZES,
    12,
    ...COMMON_SIZES,
    0,
    ...COMMON_SIZES,
    32768,
    65536,
  ],
  isLegalSize: (size) => size >= 1 && size <= 32768 && Number.isInteger(Math.log2(size)),
  parts: [
    { length: (size) => 16 * size, isWritten: false, alignment: 16 },
    { length: (size) => 6 + 2 * size, isWritten: false, alignment: 2 },
    { length: (size) => 6 + 8 * size, isWritten: true, alignment: 4 },
  ],
  createQueue: (options) => new SplitVirtqueue(options),
  createModel: (memory, place) => new SplitModel(memory, place),
  createWriter: (arena, place, tables) => new SplitWriter(arena, place, tables),
};

class SplitWriter implements RingWriter {
  readonly #arena: GuestArena;
  readonly #place: RingPlace;
  readonly #tables: number;
  #nextDescriptor = 0;
  #index = 0;

  constructor(arena: GuestArena, place: RingPlace, tables: number) {
    this.#arena = arena;
    this.#place = place;
    this.#tables = tables;
  }

  offer(input: InputReader): void {
    const { size, descriptorArea } = this.#place;
    const { count, readable, isIndirect, isMixed } = readShape(input, size);
    const head = this.#nextDescriptor % size;
    const table = isIndirect ? this.#tables : descriptorArea;
    const first = isIndirect ? 0 : head;
    for (let index = 0; index < count; index += 1) {
      const flags = (index < count - 1 ? NEXT! : 0) | (index >= readable ? WRITE! : 0);
      const at = table + 16 * ((first + index) % size);
      this.#descriptor(at, readAddress(input), input.byte(), flags, (first + index + 1) % size);
    }
    if (isIndirect) {
      this.#descriptor(descriptorArea + 16 * head, le64(table), 16 * count, INDIRECT!, 0);
    }
    if (isMixed) {
      const last = descriptorArea + 16 * ((head + count - 1) % size);
      this.#descriptor(last, le64(this.#tables), this.#table(input), INDIRECT!, 0);
    }
    this.#nextDescriptor += isIndirect ? 1 : count;
    this.#makeAvailable(head);
  }

  disturb(input: InputReader): void {
    const { size, descriptorArea, driverArea } = this.#place;
    const kind = input.byte();
    const table = kind & 0x80 ? this.#tables : descriptorArea;
    const at = table + 16 * readIndex(input, size);
    switch (kind % 9) {
      case 0:
        this.#putAddress(at, readAddress(input));
        break;
      case 1:
        this.#arena.put(at + 8, readLength(input, size), 4);
        break;
      case 2:
        this.#arena.put(at + 12, input.byte() % 8, 2);
        break;
      case 3:
        this.#arena.put(at + 14, readIndex(input, size), 2);
        break;
      case 4:
        this.#makeAvailable(readIndex(input, size));
        break;
      case 5:
        this.#index = (this.#index + readIndex(input, size)) % 65536;
        this.#arena.put(driverArea + 2, this.#index, 2);
        break;
      case 6:
        this.#arena.put(driverArea, input.byte(), 2);
        break;
      case 7:
        this.#arena.put(driverArea + 4 + 2 * size, readIndex(input, size), 2);
        break;
      default:
        this.#descriptor(
          at,
          readAddress(input),
          readLength(input, size),
          input.word16(),
          readIndex(input, size),
        );
        break;
    }
  }

  /** A table of segments that are alike. @returns its length in bytes */
  #table(input: InputReader): number {
    const count = 1 + (input.byte() % this.#place.size);
    const write = input.byte() % 2 === 0 ? WRITE! : 0;
    for (let index = 0; index < count; index += 1) {
      const flags = (index < count - 1 ? NEXT! : 0) | write;
      this.#descriptor(this.#tables + 16 * index, le64(0x3000), 1, flags, index + 1);
    }
    return 16 * count;
  }

  #makeAvailable(head: number): void {
    const { size, driverArea } = this.#place;
    this.#arena.put(driverArea + 4 + 2 * (this.#index % size), head, 2);
    this.#index = (this.#index + 1) % 65536;
    this.#arena.put(driverArea + 2, this.#index, 2);
  }

  #descriptor(at: number, address: Le64, length: number, flags: number, next: number): void {
    this.#putAddress(at, address);
    this.#arena.put(at + 8, length, 4);
    this.#arena.put(at + 12, flags, 2);
    this.#arena.put(at + 14, next, 2);
  }

  #putAddress(at: number, { low, high }: Le64): void {
    this.#arena.put(at, low, 4);
    this.#arena.put(at + 4, high, 4);
  }
}
