/** Each design does what the chosen one does: all answer as a list of ranges that is searched from its start to its end. */
import { TRANSLATION_NO_MAPPING, TRANSLATION_OK } from '@viommu/iommu-core';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../contestants/random.ts';
import type { CandidateTable } from './candidate-table.ts';
import { CANDIDATE_NAMES, CANDIDATES } from './candidates.ts';

const PAGE = 4096;
const READ = 1;
const READ_WRITE = 3;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly delta: number;
  readonly flags: number;
}

class NaiveTable {
  ranges: Range[] = [];

  translate(address: number, length: number, access: number) {
    const range = this.ranges.find(({ start, end }) => start <= address && address <= end);
    if (range === undefined || (range.flags & access) !== access) return undefined;
    return {
      physical: address + range.delta,
      length: Math.min(length, range.end - address + 1),
      bypass: false,
    };
  }

  map(start: number, end: number, physStart: number, flags: number): boolean {
    if (this.ranges.some((range) => range.start <= end && start <= range.end)) return false;
    this.ranges.push({ start, end, delta: physStart - start, flags });
    return true;
  }

  unmap(start: number, end: number): boolean {
    const within = this.ranges.filter((range) => range.start <= end && start <= range.end);
    if (within.some((range) => range.start < start || range.end > end)) return false;
    this.ranges = this.ranges.filter((range) => !within.includes(range));
    return true;
  }
}

/** @param scales pages between places, by turns: near, on other nodes, far */
function compare(table: CandidateTable, steps: number, places: number, scales: readonly number[]) {
  const random = createRandom();
  const naive = new NaiveTable();
  const out = { physical: 0, length: 0, bypass: false };
  const tally = { mapped: 0, refused: 0, unmapped: 0, split: 0, translated: 0, missed: 0 };
  for (let step = 0; step < steps; step += 1) {
    const start = random(places) * PAGE * scales[step % scales.length]!;
    const end = start + (1 + random(random(8) === 0 ? 3000 : 4)) * PAGE - 1;
    const flags = random(4) === 0 ? READ : READ_WRITE;
    if (random(3) > 0) {
      const mapped = naive.map(start, end, 2 * start + PAGE, flags);
      expect(table.map(start, end, 2 * start + PAGE, flags)).toBe(mapped);
      tally[mapped ? 'mapped' : 'refused'] += 1;
    } else {
      const unmapped = naive.unmap(start, end);
      expect(table.unmap(start, end)).toBe(unmapped);
      tally[unmapped ? 'unmapped' : 'split'] += 1;
    }
    for (const address of [start, end, end + 1, start + random(PAGE)]) {
      for (const access of [READ, READ_WRITE]) {
        const expected = naive.translate(address, 64, access);
        const code = table.translate(address, 64, access, out);
        expect(code).toBe(expected === undefined ? TRANSLATION_NO_MAPPING : TRANSLATION_OK);
        if (expected !== undefined) expect(out).toEqual(expected);
        tally[expected === undefined ? 'missed' : 'translated'] += 1;
      }
    }
  }
  return tally;
}

describe.each(CANDIDATE_NAMES)('%s', (name) => {
  it.each([
    ['close together', 40, [1]],
    ['in several nodes and chunks', 2000, [1, 3, 511, 512, 262_144]],
  ] as const)('answers as it shall for mappings %s', (_, places, scales) => {
    const tally = compare(CANDIDATES[name](), 1000, places, scales);
    for (const count of Object.values(tally)) expect(count).toBeGreaterThan(20);
  });
});
