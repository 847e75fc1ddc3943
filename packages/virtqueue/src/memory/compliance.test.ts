/** The memories of this package, by the suite of their contract. */
import { expect, it } from 'vitest';
import { guestMemorySuite, testPage } from '../testing/guest-memory-suite.ts';
import { InvisibleGuestMemory, ScatteredGuestMemory } from '../testing/wrapped-memory.ts';
import { ArrayGuestMemory, type ArrayRegion, createMemoryWindow } from './array-guest-memory.ts';
import type { GuestMemory } from './guest-memory.ts';

function subject(
  allocate: (length: number) => ArrayBufferLike,
  wrap: (m: GuestMemory) => GuestMemory,
  skew = 0,
) {
  const offset = 0x100 + skew;
  const low = allocate(0x2104);
  new Uint8Array(low).set(testPage(0x1000), offset);
  new Uint8Array(low).set(testPage(0x2000), offset + 0x1000);
  const high = allocate(0x1000);
  new Uint8Array(high).set(testPage(0x3000));
  const rom = allocate(0x1000);
  new Uint8Array(rom).set(testPage(0x5000));
  const first: ArrayRegion = { base: 0x1000, buffer: low, offset, length: 0x1000 };
  const rest: ArrayRegion[] = [
    { base: 0x3000, buffer: high },
    { base: 0x5000, buffer: rom, access: 1 },
  ];
  const memory = new ArrayGuestMemory([{ ...first, length: 0x2000 }, ...rest]);
  return { memory: wrap(memory), removeMiddlePage: () => memory.setRegions([...rest, first]) };
}

const array = (length: number) => new ArrayBuffer(length);
const shared = (length: number) => new SharedArrayBuffer(length);
const same = (memory: GuestMemory) => memory;

guestMemorySuite('arrays', () => subject(array, same));
guestMemorySuite('shared arrays', () => subject(shared, same));
guestMemorySuite('scattered', () =>
  subject(array, (memory) => new ScatteredGuestMemory(memory, 24)),
);
guestMemorySuite('invisible', () => subject(array, (memory) => new InvisibleGuestMemory(memory)));

guestMemorySuite('arrays that begin between words', () => subject(array, same, 1));

it('is shared when a buffer is, or when it is said so', () => {
  const regionOf = (buffer: ArrayBufferLike) => [{ base: 0, buffer }];
  expect(new ArrayGuestMemory(regionOf(array(4))).isShared).toBe(false);
  expect(new ArrayGuestMemory(regionOf(shared(4))).isShared).toBe(true);
  const memory = new ArrayGuestMemory([], { isShared: true });
  memory.setRegions(regionOf(array(4)));
  expect(memory.isShared).toBe(true);
});

it('shows words of aligned regions, whole ones', () => {
  const window = createMemoryWindow();
  const wordsOf = (region: ArrayRegion) => {
    new ArrayGuestMemory([region]).window(0, 1, 1, window);
    return window.words.length;
  };
  expect(wordsOf({ base: 0, buffer: array(16) })).toBe(4);
  expect(wordsOf({ base: 0, buffer: array(16), offset: 4, length: 7 })).toBe(1);
  expect(wordsOf({ base: 0, buffer: array(16), offset: 2 })).toBe(0);
});

it.each<[string, ArrayRegion[]]>([
  ['beyond its buffer', [{ base: 0, buffer: array(16), length: 17 }]],
  ['from before its buffer', [{ base: 0, buffer: array(16), offset: -1 }]],
  ['empty', [{ base: 0, buffer: array(0) }]],
  ['below 0', [{ base: -1, buffer: array(16) }]],
  ['beyond 2^53', [{ base: 2 ** 53 - 8, buffer: array(16) }]],
  [
    'over another',
    [
      { base: 0x10, buffer: array(16) },
      { base: 0, buffer: array(17) },
    ],
  ],
])('a region %s is refused, and nothing changes', (_what, regions) => {
  const memory = new ArrayGuestMemory([{ base: 0, buffer: array(4) }]);
  const { generation } = memory;
  expect(() => memory.setRegions(regions)).toThrow(
    expect.objectContaining({ code: 'MEMORY_REGION' }),
  );
  expect(memory.generation).toBe(generation);
  expect(memory.read(0, new Uint8Array(4), 0, 4)).toBe(true);
});
