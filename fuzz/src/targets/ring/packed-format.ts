/** The packed virtqueue as a target: its parts, and a driver that writes it. Numbers are written out from the standard. */
import { PackedVirtqueue } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import type { GuestArena } from '../../memory/guest-arena.ts';
import { PackedModel } from '../../models/packed-model.ts';
import type { RingPlace } from '../../models/ring-model.ts';
import type { RingFormat, RingWriter } from './ring-format.ts';
import { type Le64, le64, readAddress, readIndex, readLength, readShape } from './values.ts';

const [NEXT, WRITE, INDIRECT, AVAIL, USED] = [1, 2, 4, 0x80, 0x8000];

const COMMON_SIZES = [8, 5, 1, 2, 3, 16, 64];

export const packedFormat: RingFormat = {
  sizes: [
    ...COMMON_SIZES,
    100,
    ...COMMON_SIZES,
    128,
    ...COMMON_SIZES,
    0,
    ...COMMON_SIZES,
    32768,
    65536,
  ],
  isLegalSize: (size) => size >= 1 && size <= 32768,
  parts: [
    { length: (size) => 16 * size, isWritten: true, alignment: 16 },
    { length: () => 4, isWritten: false, alignment: 4 },
    { length: () => 4, isWritten: true, alignment: 4 },
  ],
  createQueue: (options) => new PackedVirtqueue(options),
  createModel: (memory, place) => new PackedModel(memory, place),
  createWriter: (arena, place, tables) => new PackedWriter(arena, place, tables),
};

class PackedWriter implements RingWriter {
  readonly #arena: GuestArena;
  readonly #place: RingPlace;
  readonly #tables: number;
  /** Descriptors since the beginning. */
  #position = 0;
  #nextId = 0;

  constructor(arena: GuestArena, place: RingPlace, tables: number) {
    this.#arena = arena;
    this.#place = place;
    this.#tables = tables;
  }

  offer(input: InputReader): void {
    const { size } = this.#place;
    const { count, readable, isIndirect } = readShape(input, size);
    const id = this.#nextId % size;
    this.#nextId += 1;
    for (let index = 0; index < count; index += 1) {
      const at = isIndirect ? this.#tables + 16 * index : this.#at(this.#position + index);
      const inList = isIndirect ? 0 : this.#available(this.#position + index);
      const next = index < count - 1 && !isIndirect ? NEXT! : 0;
      const flags = inList | next | (index >= readable ? WRITE! : 0);
      this.#descriptor(at, readAddress(input), input.byte(), id, flags);
    }
    if (isIndirect) {
      const flags = INDIRECT! | this.#available(this.#position);
      this.#descriptor(this.#at(this.#position), le64(this.#tables), 16 * count, id, flags);
    }
    this.#position += isIndirect ? 1 : count;
  }

  disturb(input: InputReader): void {
    const { size, descriptorArea, driverArea } = this.#place;
    const kind = input.byte();
    const index = readIndex(input, size);
    const at = kind & 0x80 ? this.#tables + 16 * index : descriptorArea + 16 * index;
    switch (kind % 9) {
      case 0:
        this.#putAddress(at, readAddress(input));
        break;
      case 1:
        this.#arena.put(at + 8, readLength(input, size), 4);
        break;
      case 2:
        this.#arena.put(at + 12, readIndex(input, size), 2);
        break;
      case 3:
        this.#arena.put(at + 14, input.word16(), 2);
        break;
      case 4:
        this.#arena.put(at + 14, this.#available(index) | (input.byte() % 8), 2);
        break;
      case 5:
        this.#arena.put(driverArea, readIndex(input, size) | (kind & 0x40 ? 0x8000 : 0), 2);
        break;
      case 6:
        this.#arena.put(driverArea + 2, input.byte(), 2);
        break;
      case 7:
        this.#position += index;
        break;
      default:
        this.#descriptor(
          at,
          readAddress(input),
          readLength(input, size),
          readIndex(input, size),
          this.#available(this.#position + index) | (input.byte() % 8),
        );
        break;
    }
  }

  #at(position: number): number {
    return this.#place.descriptorArea + 16 * (position % this.#place.size);
  }

  /** AVAIL and USED of a descriptor that is available there. */
  #available(position: number): number {
    return Math.floor(position / this.#place.size) % 2 === 0 ? AVAIL! : USED!;
  }

  #descriptor(at: number, address: Le64, length: number, id: number, flags: number): void {
    this.#putAddress(at, address);
    this.#arena.put(at + 8, length, 4);
    this.#arena.put(at + 12, id, 2);
    this.#arena.put(at + 14, flags, 2);
  }

  #putAddress(at: number, { low, high }: Le64): void {
    this.#arena.put(at, low, 4);
    this.#arena.put(at + 4, high, 4);
  }
}
