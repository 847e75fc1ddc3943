import { describe, expect, it } from 'vitest';
import { GuestArena } from './guest-arena.ts';
import { createMemories } from './layouts.ts';
import { WatchedMemory } from './watched-memory.ts';

/** Adjacent in addresses, the other way round in the buffer; then a hole, and a ROM. */
const REGIONS = [
  { base: 0x100, offset: 0x20, length: 6 },
  { base: 0x106, offset: 0x10, length: 10 },
  { base: 0x200, offset: 0x30, length: 8, access: 1 },
];

function create(): GuestArena {
  return new GuestArena(REGIONS, new ArrayBuffer(0x40));
}

function read(arena: GuestArena, address: number, length: number): number[] | undefined {
  const bytes = new Uint8Array(length);
  return arena.memory.read(address, bytes, 0, length) ? [...bytes] : undefined;
}

describe('GuestArena', () => {
  it('lets a driver write across regions, and into a ROM', () => {
    const arena = create();
    arena.put(0x104, 0x4433_2211, 4);
    arena.put(0x200, 0x8765, 2);
    expect(read(arena, 0x104, 4)).toEqual([0x11, 0x22, 0x33, 0x44]);
    expect([arena.expected(0x104, 4), arena.expected(0x106, 2)]).toEqual([0x4433_2211, 0x4433]);
    expect(read(arena, 0x200, 2)).toEqual([0x65, 0x87]);
    expect(() => arena.check()).not.toThrow();
  });

  it('leaves out what is not there', () => {
    const arena = create();
    arena.put(0x10e, 0xffff_ffff, 4);
    expect(arena.expected(0x10e, 4)).toBe(0xffff);
    expect(arena.expected(0x110, 4)).toBe(0);
  });

  it('reads 64 bits as a number, up to 2^53 - 1', () => {
    const arena = create();
    arena.put(0x108, 0xffff_fffe, 4);
    arena.put(0x10c, 0x1f_ffff, 4);
    expect(arena.expected64(0x108)).toBe(2 ** 53 - 2);
    arena.put(0x10c, 0x8000_0000, 4);
    expect(arena.expected64(0x108)).toBe(2 ** 53 - 1);
  });

  it('knows what can be accessed', () => {
    const arena = create();
    expect(arena.holds(0x100, 16, 3)).toBe(true);
    expect(arena.holds(0x100, 17, 3)).toBe(false);
    expect(arena.holds(0xff, 2, 3)).toBe(false);
    expect([arena.holds(0x200, 8, 1), arena.holds(0x200, 8, 2)]).toEqual([true, false]);
  });

  it('sees what a device writes, unless it is admitted or expected', () => {
    const arena = create();
    arena.memory.write(0x105, Uint8Array.of(7, 8), 0, 2);
    expect(() => arena.check()).toThrow('8 in place of 0 is at 262');
    arena.admit(0x100, 6);
    expect(() => arena.check()).toThrow();
    arena.expect(0x106, 8, 1);
    expect(() => arena.check()).not.toThrow();
  });

  it('sees a write between regions', () => {
    const buffer = new ArrayBuffer(0x40);
    const arena = new GuestArena(REGIONS, buffer);
    new Uint8Array(buffer)[0x3f] = 1;
    expect(() => arena.check()).toThrow('between regions');
  });

  it('takes regions away and gives them back', () => {
    const arena = create();
    const { generation } = arena.memory;
    arena.put(0x106, 5, 1);
    arena.keepRegions(1);
    expect([arena.holds(0x106, 1, 1), read(arena, 0x106, 1)]).toEqual([false, undefined]);
    arena.keepRegions(7);
    expect([read(arena, 0x106, 1), arena.memory.generation]).toEqual([[5], generation + 2]);
    arena.keepRegions(0);
    arena.reset();
    expect(read(arena, 0x100, 16)).toEqual(new Array(16).fill(0));
  });

  it('admits at the end of addresses', () => {
    const base = 2 ** 53 - 0x10;
    const arena = new GuestArena([{ base, offset: 1, length: 0xf }], new ArrayBuffer(0x20));
    arena.memory.write(base + 0xe, Uint8Array.of(9), 0, 1);
    expect(() => arena.check()).toThrow(`at ${base + 0xe}`);
    arena.admit(base + 0xd, 8);
    expect(() => arena.check()).not.toThrow();
  });
});

describe('WatchedMemory', () => {
  const window = { ...createWindow() };

  it('shows pieces, or nothing', () => {
    const { memory } = create();
    expect(new WatchedMemory(memory, 4).window(0x107, 9, 3, window)).toBe(1);
    expect(new WatchedMemory(memory, 0).window(0x107, 9, 3, window)).toBe(0);
    expect(new WatchedMemory(memory, 0).window(0x300, 9, 3, window)).toBe(-1);
    expect(new WatchedMemory(memory).window(0x107, 9, 3, window)).toBe(9);
  });

  it('counts, and lets someone intervene once', () => {
    const memory = new WatchedMemory(create().memory);
    const bytes = new Uint8Array(4);
    let interventions = 0;
    memory.read(0x100, bytes, 0, 4);
    memory.interveneAfter(2, () => {
      interventions += 1;
    });
    const seen = [1, 2, 3].map(() => {
      memory.write(0x100, bytes, 0, 4);
      return interventions;
    });
    expect([seen, memory.accesses]).toEqual([[0, 1, 1], 4]);
  });

  it.each([
    [-1, 1],
    [0.5, 1],
    [Number.NaN, 1],
    [0, 0],
    [0, 5],
  ])('refuses an access at %d of %d bytes into four', (address, length) => {
    const memory = new WatchedMemory(create().memory);
    expect(() => memory.read(address, new Uint8Array(4), 0, length)).toThrow(/an access/);
    expect(() => memory.write(address, new Uint8Array(4), 0, length)).toThrow(/an access/);
  });
});

it('each layout is there in each view', () => {
  const memories = createMemories();
  expect(memories.length).toBe(16);
  expect(memories.map(({ memory }) => memory.isShared).filter(Boolean).length).toBe(8);
});

function createWindow() {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    words: new Int32Array(0),
    offset: 0,
    length: 0,
  };
}
