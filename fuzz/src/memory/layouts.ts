/** The memories that inputs choose from: how regions lie, and how a device sees them. */
import { ACCESS_READ } from '@viommu/virtqueue';
import { type ArenaRegion, GuestArena } from './guest-arena.ts';
import { WatchedMemory } from './watched-memory.ts';

/** What an input chooses: the same places in it mean something in each layout. */
export interface MemoryChoice {
  readonly arena: GuestArena;
  /** As the device sees it. */
  readonly memory: WatchedMemory;
  /** Where the addresses of a layout begin. */
  readonly home: number;
}

/** Of addresses from `home` on that a layout is about. */
export const REACH = 0x4000;
const BUFFER_LENGTH = 0x4500;
/** No multiple of 16, nor a divisor: descriptors are torn, too. */
const PIECE_LENGTH = 12;

const FAR_HOME = 2 ** 53 - REACH;
const LAYOUTS: readonly { home: number; regions: readonly ArenaRegion[] }[] = [
  { home: 0, regions: [{ base: 0, offset: 0x100, length: REACH }] },
  // Adjacent addresses, in another order in the buffer; the last region is at an odd place of it.
  {
    home: 0,
    regions: [
      { base: 0, offset: 0x2100, length: 0x1004 },
      { base: 0x1004, offset: 0x100, length: 0x1ffe },
      { base: 0x3002, offset: 0x3201, length: 0xffe },
    ],
  },
  // A ROM, and a hole behind it.
  {
    home: 0,
    regions: [
      { base: 0, offset: 0x100, length: 0x2000 },
      { base: 0x2000, offset: 0x2200, length: 0x1000, access: ACCESS_READ },
      { base: 0x3800, offset: 0x3300, length: 0x800 },
    ],
  },
  // Up to the last address but one that a number can be exact for.
  { home: FAR_HOME, regions: [{ base: FAR_HOME, offset: 0x100, length: REACH - 1 }] },
];

/** Not shared, shared, in pieces, behind messages. */
const VIEWS: readonly { isShared: boolean; pieceLength: number }[] = [
  { isShared: false, pieceLength: Number.POSITIVE_INFINITY },
  { isShared: true, pieceLength: Number.POSITIVE_INFINITY },
  { isShared: true, pieceLength: PIECE_LENGTH },
  { isShared: false, pieceLength: 0 },
];

/** One for each layout in each view; which is which is the index. */
export function createMemories(): MemoryChoice[] {
  return LAYOUTS.flatMap(({ home, regions }) =>
    VIEWS.map(({ isShared, pieceLength }) => {
      const Buffer = isShared ? SharedArrayBuffer : ArrayBuffer;
      const arena = new GuestArena(regions, new Buffer(BUFFER_LENGTH));
      return { arena, memory: new WatchedMemory(arena.memory, pieceLength), home };
    }),
  );
}
