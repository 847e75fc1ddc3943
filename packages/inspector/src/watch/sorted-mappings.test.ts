import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WatchedMapping } from './inspector-messages.ts';
import { SortedMappings } from './sorted-mappings.ts';

const SLOT = 10;
/** A slot has at most one mapping, so that none overlap. */
const slot = fc.nat(1500);

function mappingOf(at: number): WatchedMapping {
  return { virtStart: at * SLOT, virtEnd: at * SLOT + SLOT - 2, physStart: at, flags: 3 };
}

describe('SortedMappings', () => {
  it('has what a plain map has, whatever is mapped and unmapped', () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ map: slot, count: fc.integer({ min: 1, max: 700 }) }) },
      { weight: 2, arbitrary: fc.record({ unmap: slot, slots: fc.integer({ min: 1, max: 300 }) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), fc.array(slot), (operations, first) => {
        const plain = new Map([...new Set(first)].map((at) => [at, mappingOf(at)]));
        const sorted = new SortedMappings([...plain.values()]);
        for (const one of operations) {
          if ('map' in one) {
            for (let at = one.map; at < one.map + one.count; at += 1) {
              if (plain.has(at)) continue;
              plain.set(at, mappingOf(at));
              sorted.insert(mappingOf(at));
            }
          } else {
            for (let at = one.unmap; at < one.unmap + one.slots; at += 1) plain.delete(at);
            sorted.remove(one.unmap * SLOT, (one.unmap + one.slots) * SLOT - 1);
          }
        }
        const expected = [...plain.keys()].sort((one, other) => one - other).map(mappingOf);
        expect([...sorted]).toEqual(expected);
        expect(sorted.count).toBe(expected.length);
        for (const at of [0, 700, 1499]) {
          expect(sorted.find(at * SLOT + 3)).toEqual(plain.get(at));
          expect(sorted.find(at * SLOT + SLOT - 1)).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has a copy that goes its own way', () => {
    const sorted = new SortedMappings(Array.from({ length: 1000 }, (_, at) => mappingOf(at)));
    const copy = sorted.copy();
    sorted.remove(0, 500 * SLOT - 1);
    copy.insert(mappingOf(1000));
    expect([sorted.count, copy.count]).toEqual([500, 1001]);
    expect([...copy].map(({ physStart }) => physStart)).toEqual(
      Array.from({ length: 1001 }, (_, at) => at),
    );
    expect(sorted.find(1000 * SLOT)).toBeUndefined();
  });

  it('begins where an address is', () => {
    const sorted = new SortedMappings([5, 1, 3].map(mappingOf));
    expect([...sorted.from(3 * SLOT + 4)].map(({ physStart }) => physStart)).toEqual([3, 5]);
    expect([...sorted.from(0)].map(({ physStart }) => physStart)).toEqual([1, 3, 5]);
    sorted.remove(0, Number.MAX_SAFE_INTEGER);
    expect([...sorted]).toEqual([]);
    expect(sorted.find(0)).toBeUndefined();
  });
});
