import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressRange, MappingTable } from './mapping-table.ts';

const NONE = 0;
const WHOLE = 1;
const SPLIT = 2;

class NaiveTable {
  ranges: AddressRange[] = [];

  within(start: number, end: number): AddressRange[] {
    return this.ranges
      .filter((range) => range.start <= end && start <= range.end)
      .sort((a, b) => a.start - b.start);
  }

  select(start: number, end: number): { answer: number; span: AddressRange | undefined } {
    const affected = this.within(start, end);
    if (affected.length === 0) {
      return { answer: NONE, span: undefined };
    }
    if (affected.some((range) => range.start < start || range.end > end)) {
      return { answer: SPLIT, span: undefined };
    }
    return { answer: WHOLE, span: { start: affected[0]!.start, end: affected.at(-1)!.end } };
  }

  remove(start: number, end: number): number {
    const before = this.ranges.length;
    this.ranges = this.ranges.filter((range) => range.start > end || range.end < start);
    return before - this.ranges.length;
  }
}

/** Runs the steps on both tables; each step maps if it can, or unmaps if nothing would be split. */
function compare(steps: readonly (readonly [boolean, number, number])[]): void {
  const table = new MappingTable();
  const naive = new NaiveTable();
  const out = { start: -1, end: -1 };
  for (const [isMap, start, length] of steps) {
    const end = start + length;
    expect(table.overlaps(start, end)).toBe(naive.within(start, end).length > 0);
    const expected = naive.select(start, end);
    expect(table.select(start, end, out)).toBe(expected.answer);
    if (expected.span !== undefined) {
      expect(out).toEqual(expected.span);
    }
    if (isMap && expected.answer === NONE) {
      table.insert(start, end);
      naive.ranges.push({ start, end });
    } else if (!isMap && expected.answer === WHOLE) {
      expect(table.remove(out.start, out.end)).toBe(naive.remove(start, end));
    }
    expect(table.size).toBe(naive.ranges.length);
  }
}

describe('MappingTable', () => {
  it('answers as a naive list does, crowded', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(60), fc.nat(12));
    fc.assert(fc.property(fc.array(step, { maxLength: 120 }), compare));
  });

  it('answers as a naive list does over several chunks', () => {
    const map = fc.tuple(fc.constant(true), fc.nat(40_000), fc.nat(6));
    const unmap = fc.tuple(fc.constant(false), fc.nat(40_000), fc.nat(3000));
    const steps = fc.array(
      fc.oneof({ weight: 30, arbitrary: map }, { weight: 1, arbitrary: unmap }),
      {
        minLength: 1500,
        maxLength: 2500,
      },
    );
    fc.assert(fc.property(steps, compare), { numRuns: 5 });
  });

  it.each([
    ['rising', (index: number) => index],
    ['falling', (index: number) => 4999 - index],
    ['scattered', (index: number) => (index * 1237) % 5000],
  ])('finds each of 5000 mappings made in %s order', (_, place) => {
    const table = new MappingTable();
    for (let index = 0; index < 5000; index++) {
      table.insert(place(index) * 16, place(index) * 16 + 7);
    }
    expect(table.size).toBe(5000);
    for (let index = 0; index < 5000; index++) {
      expect(table.overlaps(index * 16 + 7, index * 16 + 7)).toBe(true);
      expect(table.overlaps(index * 16 + 8, index * 16 + 15)).toBe(false);
    }
    expect(table.remove(0, 5000 * 16)).toBe(5000);
    expect(table.overlaps(0, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  it('selects up to the largest address', () => {
    const table = new MappingTable();
    table.insert(0, 9);
    table.insert(2 ** 52 - 16, 2 ** 52 - 1);
    const out = { start: -1, end: -1 };
    expect(table.select(0, Number.MAX_SAFE_INTEGER, out)).toBe(WHOLE);
    expect(out).toEqual({ start: 0, end: 2 ** 52 - 1 });
    expect(table.select(0, 2 ** 52 - 2, out)).toBe(SPLIT);
    expect(table.select(1, Number.MAX_SAFE_INTEGER, out)).toBe(SPLIT);
    expect(table.select(10, 2 ** 52 - 17, out)).toBe(NONE);
  });
});
