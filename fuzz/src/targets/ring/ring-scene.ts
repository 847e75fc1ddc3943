/** RingScene: the first bytes of an input say which memory, where the parts of the queue are, and what was negotiated. */
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import { type MemoryChoice, REACH } from '../../memory/layouts.ts';
import type { RingPlace } from '../../models/ring-model.ts';
import type { RingFormat } from './ring-format.ts';

export interface RingScene {
  readonly guest: MemoryChoice;
  readonly place: RingPlace;
  /** Where indirect tables are written. */
  readonly tables: number;
  /** The parts have legal addresses and the queue a legal size: it is not broken from the start. */
  readonly isLegal: boolean;
}

const NONE = 0;
/** From the layout's `home` on; no two parts of a queue of 64 have a byte in common. */
const TABLES = 0;
const PLACES = [0x1000, 0x2000, 0x800];
/** What a part is moved by. */
const SHIFTS = [0, 0, 0, 0, 16, -16, 4, -4, 2, -2, 1, 8, 6, 12, 0x100, -0x100];
const FARTHEST = 2 ** 53 - 16;

export function readScene(
  input: InputReader,
  format: RingFormat,
  memories: readonly MemoryChoice[],
): RingScene {
  const choices = input.byte();
  const size = input.pick(format.sizes);
  const guest = memories[choices % memories.length]!;
  const { home } = guest;
  const [descriptor, driver, device] = format.parts.map((part, index) =>
    readPlace(input, home, PLACES[index]!, part.length(size)),
  );
  const place = {
    size,
    descriptorArea: descriptor!,
    driverArea: driver!,
    deviceArea: device!,
    indirect: (choices & 0x40) === NONE,
    eventIdx: (choices & 0x80) !== NONE,
  };
  const addresses = areas(place);
  const isAligned = format.parts.every(
    ({ alignment }, index) => addresses[index]! % alignment === 0,
  );
  return { guest, place, tables: home + TABLES, isLegal: isAligned && format.isLegalSize(size) };
}

/** Addresses of the descriptor area, the driver area and the device area. */
export function areas({ descriptorArea, driverArea, deviceArea }: RingPlace): number[] {
  return [descriptorArea, driverArea, deviceArea];
}

/** Whether all parts are in memory and can be accessed as the device has to: a model can follow then. */
export function isAllThere({ guest, place }: RingScene, format: RingFormat): boolean {
  return areas(place).every((address, index) => {
    const { length, isWritten } = format.parts[index]!;
    const access = isWritten ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ;
    return guest.arena.holds(address, length(place.size), access);
  });
}

function readPlace(input: InputReader, home: number, usual: number, length: number): number {
  const code = input.byte();
  const shift = SHIFTS[code >> 4]!;
  switch (code & 0xf) {
    case 1:
      return home + PLACES[0]! + Math.max(shift, 0);
    case 2:
      return home + PLACES[1]! + Math.max(shift, 0);
    case 3:
      return home + PLACES[2]! + Math.max(shift, 0);
    case 4:
      return home + Math.max(shift, 0);
    // The last byte of the part is the last one of the layout, or just before or behind it.
    case 5:
      return home + Math.max(REACH - length + shift, 0);
    case 6:
      return home + 0x3000 + shift;
    case 7:
      return FARTHEST + shift;
    default:
      return home + usual + (code & 8 ? shift : 0);
  }
}
