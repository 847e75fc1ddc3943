/** AddressAllocator by examples, and against a model that marks each granule. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressAllocator } from './address-allocator.ts';

describe('AddressAllocator', () => {
  it('hands out from the top, whole granules', () => {
    const addresses = new AddressAllocator(0x1000, 0x8fff, 0x1000);
    expect(addresses.allocate(1)).toBe(0x8000);
    expect(addresses.allocate(0x1001)).toBe(0x6000);
    expect(addresses.freeBytes).toBe(0x5000);
  });

  it('aligns', () => {
    const addresses = new AddressAllocator(0x1000, 0x8fff, 0x1000);
    expect(addresses.allocate(0x1000, 0x4000)).toBe(0x8000);
    expect(addresses.allocate(0x1000, 0x4000)).toBe(0x4000);
    expect(() => addresses.allocate(0x1000, 0x4000)).toThrow(
      expect.objectContaining({ code: 'NO_ADDRESSES' }),
    );
  });

  it('leaves out what does not fill a granule', () => {
    const addresses = new AddressAllocator(0x1001, 0x4ffe, 0x1000);
    expect(addresses.allocate(0x2000)).toBe(0x2000);
    expect(addresses.freeBytes).toBe(0);
  });

  it('keeps off reserved ranges, rounded outwards', () => {
    const addresses = new AddressAllocator(0, 0xffff, 0x1000);
    addresses.reserve(0xdfff, 0xe000);
    expect(addresses.allocate(0x1000)).toBe(0xf000);
    expect(addresses.allocate(0x2000)).toBe(0xb000);
    expect(addresses.freeBytes).toBe(0xb000);
  });

  it('refuses what is free already, from either side', () => {
    const addresses = new AddressAllocator(0, 0xffff, 0x1000);
    const address = addresses.allocate(0x2000);
    for (const [start, length] of [
      [address - 0x1000, 0x2000],
      [0, 0x1000],
    ] as const) {
      expect(() => addresses.free(start, length)).toThrow(
        expect.objectContaining({ code: 'DOUBLE_FREE' }),
      );
    }
    addresses.free(address, 0x2000);
    expect(() => addresses.free(address, 0x2000)).toThrow(
      expect.objectContaining({ code: 'DOUBLE_FREE' }),
    );
    expect(addresses.allocate(0x10000)).toBe(0);
  });

  it('refuses a granule that is no power of two, and a range without any', () => {
    expect(() => new AddressAllocator(0, 0xffff, 0x1800)).toThrow(
      expect.objectContaining({ code: 'GRANULE' }),
    );
    expect(() => new AddressAllocator(1, 0x1fff, 0x2000)).toThrow(
      expect.objectContaining({ code: 'NO_ADDRESSES' }),
    );
  });

  it('never hands out twice, and gives up only when nothing fits', () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 9 }) }) },
      { weight: 4, arbitrary: fc.record({ giveBack: fc.nat(30) }) },
      {
        weight: 1,
        arbitrary: fc.record({ reserve: fc.nat(63), length: fc.integer({ min: 1, max: 8 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const addresses = new AddressAllocator(0, 63 * 16 + 15, 16);
        const inUse = new Array<boolean>(64).fill(false);
        const taken: [number, number][] = [];
        const isFree = (first: number, count: number) =>
          first + count <= 64 && inUse.slice(first, first + count).every((used) => !used);
        for (const step of operations) {
          if ('take' in step) {
            const candidates = [...inUse.keys()].filter((first) => isFree(first, step.take));
            const expected = candidates.at(-1);
            if (expected === undefined) {
              expect(() => addresses.allocate(step.take * 16)).toThrow();
              continue;
            }
            expect(addresses.allocate(step.take * 16 - 3)).toBe(expected * 16);
            inUse.fill(true, expected, expected + step.take);
            taken.push([expected, step.take]);
          } else if ('giveBack' in step) {
            const [piece] = taken.splice(step.giveBack % (taken.length || 1), 1);
            if (piece === undefined) continue;
            addresses.free(piece[0] * 16, piece[1] * 16);
            inUse.fill(false, piece[0], piece[0] + piece[1]);
          } else {
            const last = Math.min(63, step.reserve + step.length - 1);
            addresses.reserve(step.reserve * 16 + 1, last * 16);
            inUse.fill(true, step.reserve, last + 1);
            // What was in use and reserved on top is no longer given back by the model.
            for (let index = taken.length - 1; index >= 0; index -= 1) {
              const [first, count] = taken[index]!;
              if (first <= last && first + count > step.reserve) taken.splice(index, 1);
            }
          }
          expect(addresses.freeBytes).toBe(inUse.filter((used) => !used).length * 16);
        }
      }),
    );
  });
});
