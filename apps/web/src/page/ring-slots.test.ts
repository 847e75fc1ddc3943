import type { WatchedQueue } from '@viommu/inspector';
import { describe, expect, it } from 'vitest';
import { ringNumbers, ringSlots, ringWords, wishText } from './ring-slots.ts';

type Ring = NonNullable<WatchedQueue['ring']>;
const common = { broken: false, inFlight: 0, kicks: undefined, interrupts: undefined };

const split = (nextAvail: number, availIdx: number, usedIdx: number): Ring => ({
  ...common,
  layout: 'split',
  nextAvail,
  availIdx,
  usedIdx,
  inFlight: (nextAvail - usedIdx) & 0xffff,
});
const packed = (available: number, used: number, inFlight: number): Ring => ({
  ...common,
  layout: 'packed',
  available,
  used,
  inFlight,
});

describe('ringSlots', () => {
  it('has no slot of a ring at rest', () => {
    expect(ringSlots(8, split(3, 3, 3))).toEqual({
      taking: 3,
      giving: 3,
      driver: 3,
      inFlight: [],
      waiting: [],
    });
  });

  it('cuts what goes past the end, of indices that wrap as well', () => {
    // Indices 65534 to 1 are the slots 6, 7, 0 and 1.
    expect(ringSlots(8, split(1, 4, 65534))).toEqual({
      taking: 1,
      giving: 6,
      driver: 4,
      inFlight: [
        { from: 6, count: 2 },
        { from: 0, count: 1 },
      ],
      waiting: [{ from: 1, count: 3 }],
    });
  });

  it('has all slots of a ring that is full', () => {
    const { inFlight, waiting } = ringSlots(4, split(14, 14, 10));
    expect([inFlight, waiting]).toEqual([
      [
        { from: 2, count: 2 },
        { from: 0, count: 2 },
      ],
      [],
    ]);
    expect(ringSlots(4, packed(0x8000, 0, 4)).inFlight).toEqual([{ from: 0, count: 4 }]);
  });

  it('goes by the offset of a packed ring, of any size', () => {
    expect(ringSlots(7, packed(2, 5 | 0x8000, 4))).toEqual({
      taking: 2,
      giving: 5,
      driver: undefined,
      inFlight: [
        { from: 5, count: 2 },
        { from: 0, count: 2 },
      ],
      waiting: [],
    });
  });
});

it('names the numbers as the standard does', () => {
  const texts = (ring: Ring) => ringNumbers(ring).map(({ field, text }) => `${field} ${text}`);
  expect(texts(split(9, 12, 7))).toEqual(['next avail 9', 'avail idx 12', 'used idx 7']);
  expect(texts(packed(2, 5 | 0x8000, 4))).toEqual(['available 2, wrap 0', 'used 5, wrap 1']);
});

it('says what a ring shows', () => {
  expect(ringWords({ size: 8, ring: split(1, 4, 65534) })).toBe(
    'the device takes slot 1 of 8 next and gives back slot 6 next; 3 buffers in flight, 3 more buffers seen available',
  );
  expect(ringWords({ size: 7, ring: packed(2, 1, 1) })).toBe(
    'the device takes slot 2 of 7 next and gives back slot 1 next; 1 descriptor in flight',
  );
  expect(ringWords({ size: 7, ring: undefined })).toBe('not in use');
  expect(ringWords({ size: 7, ring: { ...packed(2, 1, 1), broken: true } })).toBe(
    'broken by the driver',
  );
});

it('says whether notifications are asked for', () => {
  const texts = [undefined, { isAsked: false, at: undefined }, { isAsked: true, at: undefined }];
  expect(texts.map((wish) => wishText(split(0, 0, 0), wish))).toEqual([
    'not known yet',
    'not asked for',
    'asked for',
  ]);
  const wish = { isAsked: true, at: 0x8003 };
  expect(wishText(split(0, 0, 0), wish)).toBe('asked for past 32771');
  expect(wishText(packed(0, 0, 0), wish)).toBe('asked for past 3, wrap 1');
});
