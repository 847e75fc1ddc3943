/** The table beside a naive list, for ranges near each other, at the borders of nodes, and at the ends of the address space. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MappingTable, SELECTED_NONE, SELECTED_SPLIT, SELECTED_WHOLE } from './mapping-table.ts';

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly physical: number;
  readonly flags: number;
}

class NaiveTable {
  mappings: Mapping[] = [];

  within(start: number, end: number): Mapping[] {
    return this.mappings
      .filter((mapping) => mapping.start <= end && start <= mapping.end)
      .sort((a, b) => a.start - b.start);
  }

  select(start: number, end: number): number {
    const affected = this.within(start, end);
    if (affected.length === 0) return SELECTED_NONE;
    const isSplit = affected.some((mapping) => mapping.start < start || mapping.end > end);
    return isSplit ? SELECTED_SPLIT : SELECTED_WHOLE;
  }

  remove(start: number, end: number): number {
    const before = this.mappings.length;
    this.mappings = this.mappings.filter((mapping) => mapping.start > end || mapping.end < start);
    return before - this.mappings.length;
  }
}

type Step = readonly [isMap: boolean, start: number, pages: number];

/** Each step maps if it can, or unmaps if nothing would be split; ranges are in pages. */
function compare(granule: number, steps: readonly Step[]): void {
  const table = new MappingTable(granule);
  const naive = new NaiveTable();
  const out = { physical: 0, length: 0, bypass: true };
  for (const [isMap, startPage, pages] of steps) {
    const start = startPage * granule;
    const end = Math.min((startPage + pages) * granule, 2 ** 52) - 1;
    const [covering] = naive.within(end, end);
    expect(table.find(end)).toEqual(
      covering && {
        virtStart: covering.start,
        virtEnd: covering.end,
        physStart: covering.physical,
        flags: covering.flags,
      },
    );
    const expected = naive.select(start, end);
    expect(table.overlaps({ virtStart: start, virtEnd: end })).toBe(expected !== SELECTED_NONE);
    expect(table.select({ virtStart: start, virtEnd: end })).toBe(expected);
    if (isMap && expected === SELECTED_NONE) {
      const mapping = { start, end, physical: startPage * 3 * granule, flags: startPage % 4 };
      table.insert({
        virtStart: start,
        virtEnd: end,
        physStart: mapping.physical,
        flags: mapping.flags,
      });
      naive.mappings.push(mapping);
    } else if (!isMap && expected !== SELECTED_SPLIT) {
      expect(table.remove({ virtStart: start, virtEnd: end })).toBe(naive.remove(start, end));
    }
    expect(table.size).toBe(naive.mappings.length);
    for (const address of [start, end, Math.max(0, start - 1), end + 1]) {
      const covering = naive.within(address, address)[0];
      const isAllowed = covering !== undefined && (covering.flags & 1) === 1;
      expect(table.translate(address, 2 ** 52, 1, out)).toBe(isAllowed ? 0 : 2);
      if (isAllowed) {
        const physical = covering.physical + (address - covering.start);
        expect(out).toEqual({ physical, length: covering.end - address + 1, bypass: false });
      }
    }
    const shown: Mapping[] = [];
    table.visit(start, end, (from, to, physical, flags) =>
      shown.push({ start: from, end: to, physical, flags }),
    );
    const startingWithin = naive.within(start, end).filter((mapping) => mapping.start >= start);
    expect(shown).toEqual(startingWithin);
  }
}

/** Pages around the borders of nodes of every level, up to the last page of 52 bits. */
function borderPages(granule: number): fc.Arbitrary<number> {
  const last = 2 ** 52 / granule - 1;
  const borders = Array.from({ length: 11 }, (_, level) => 32 ** level).filter((b) => b <= last);
  return fc
    .tuple(fc.constantFrom(0, ...borders, last), fc.integer({ min: -3, max: 3 }), fc.nat(2))
    .map(([border, near, times]) => Math.max(0, Math.min(border * (times + 1) + near, last)));
}

describe('MappingTable', () => {
  it('answers as a naive list does, crowded', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(70), fc.integer({ min: 1, max: 12 }));
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), (steps) => compare(4096, steps)));
  });

  it.each([1, 4096, 2 ** 30])(
    'answers as a naive list does at the borders of nodes: %i',
    (granule) => {
      const length = fc.oneof(
        fc.integer({ min: 1, max: 5 }),
        borderPages(granule).map((page) => page + 1),
      );
      const step = fc.tuple(fc.boolean(), borderPages(granule), length);
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => compare(granule, steps)),
        { numRuns: 150 },
      );
    },
  );

  it('answers as a naive list does when it is large', () => {
    const map = fc.tuple(fc.constant(true), fc.nat(40_000), fc.integer({ min: 1, max: 6 }));
    const unmap = fc.tuple(fc.constant(false), fc.nat(40_000), fc.integer({ min: 1, max: 3000 }));
    const step = fc.oneof({ weight: 30, arbitrary: map }, { weight: 1, arbitrary: unmap });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1500, maxLength: 2500 }), (steps) =>
        compare(4096, steps),
      ),
      { numRuns: 3 },
    );
  });

  it.each([
    ['rising', (index: number) => index],
    ['falling', (index: number) => 4999 - index],
    ['scattered', (index: number) => (index * 1237) % 5000],
    ['far apart', (index: number) => ((index * 1237) % 5000) * 2 ** 30],
  ])('finds each of 5000 mappings made in %s order', (_, place) => {
    const table = new MappingTable(8);
    const out = { physical: 0, length: 0, bypass: true };
    for (let index = 0; index < 5000; index += 1) {
      table.insert({
        virtStart: place(index) * 16,
        virtEnd: place(index) * 16 + 7,
        physStart: index * 8,
        flags: 3,
      });
    }
    expect(table.size).toBe(5000);
    for (let index = 0; index < 5000; index += 1) {
      expect(table.translate(place(index) * 16 + 7, 1, 3, out)).toBe(0);
      expect(out.physical).toBe(index * 8 + 7);
      expect(
        table.overlaps({ virtStart: place(index) * 16 + 8, virtEnd: place(index) * 16 + 15 }),
      ).toBe(false);
    }
    expect(table.remove({ virtStart: 0, virtEnd: 2 ** 53 - 1 })).toBe(5000);
    expect(table.size).toBe(0);
    expect(table.overlaps({ virtStart: 0, virtEnd: Number.MAX_SAFE_INTEGER })).toBe(false);
    table.insert({ virtStart: 0, virtEnd: 7, physStart: 0, flags: 3 });
    expect(table.translate(0, 1, 3, out)).toBe(0);
  });

  it('keeps neighbours apart, whatever their frames and flags are', () => {
    const frames = [0, 2 ** 27 - 1, 2 ** 27, 2 ** 40 - 1, 0.5].map((frame) => frame * 4096);
    const kinds = frames.flatMap((physStart) =>
      [0, 7, 8, 2 ** 31 - 1].map((flags) => ({ physStart, flags })),
    );
    const out = { physical: 0, length: 0, bypass: true };
    for (const first of kinds) {
      for (const second of kinds) {
        const table = new MappingTable(4096);
        const mapped = [first, second].map((kind, index) => {
          const virtStart = 2 ** 43 + (index + 5) * 4096;
          return { virtStart, virtEnd: virtStart + 4095, ...kind };
        });
        for (const mapping of mapped) table.insert(mapping);
        for (const gone of [mapped[0]!, mapped[1]!]) {
          for (const { virtStart, physStart, flags } of mapped) {
            expect(table.translate(virtStart + 8, 2 ** 20, flags, out)).toBe(0);
            expect(out).toEqual({ physical: physStart + 8, length: 4088, bypass: false });
            expect(table.translate(virtStart, 1, ~flags & 15, out)).toBe(
              (flags & 15) === 15 ? 0 : 2,
            );
          }
          expect(table.remove(gone)).toBe(1);
          const shown: number[] = [];
          table.visit(0, 2 ** 52, (...mapping) => shown.push(...mapping));
          const left = mapped.find((mapping) => mapping !== gone)!;
          expect(shown).toEqual([left.virtStart, left.virtEnd, left.physStart, left.flags]);
          expect(table.translate(gone.virtStart, 1, 0, out)).toBe(2);
          expect(table.translate(left.virtStart, 1, left.flags, out)).toBe(0);
          table.insert(gone);
        }
      }
    }
  });

  it('selects up to the largest address', () => {
    const table = new MappingTable(1);
    table.insert({ virtStart: 0, virtEnd: 9, physStart: 0, flags: 3 });
    table.insert({ virtStart: 2 ** 52 - 16, virtEnd: 2 ** 52 - 1, physStart: 0, flags: 3 });
    expect(table.select({ virtStart: 0, virtEnd: Number.MAX_SAFE_INTEGER })).toBe(SELECTED_WHOLE);
    expect(table.select({ virtStart: 0, virtEnd: 2 ** 52 - 2 })).toBe(SELECTED_SPLIT);
    expect(table.select({ virtStart: 1, virtEnd: Number.MAX_SAFE_INTEGER })).toBe(SELECTED_SPLIT);
    expect(table.select({ virtStart: 10, virtEnd: 2 ** 52 - 17 })).toBe(SELECTED_NONE);
  });
});
