import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatten } from '../fixtures/tree-bytes.ts';
import { readFlattenedTree } from './flattened-tree.ts';
import { type MappedFunctions, mappedFunctions } from './iommu-map.ts';

type Entry = readonly [ridBase: number, phandle: number, iommuBase: number, length: number];

function mapOf(entries: readonly Entry[], mask: number): MappedFunctions[] {
  const properties = { 'iommu-map': entries.flat(), 'iommu-map-mask': [mask] };
  return mappedFunctions(readFlattenedTree(flatten({ properties })));
}

/** One function after the other. */
function naive(entries: readonly Entry[], mask: number): MappedFunctions[] {
  const found: { -readonly [Field in keyof MappedFunctions]: MappedFunctions[Field] }[] = [];
  for (let bdf = 0; bdf < 0x1_0000; bdf += 1) {
    const rid = bdf & mask;
    const entry = entries.find(([base, , , length]) => rid >= base && rid < base + length);
    if (entry === undefined) continue;
    const [ridBase, phandle, iommuBase] = entry;
    const id = (iommuBase + (rid - ridBase)) % 2 ** 32;
    const last = found.at(-1);
    const goesOn =
      last?.bdfEnd === bdf - 1 &&
      last.phandle === phandle &&
      last.endpointStart + (bdf - last.bdfStart) === id;
    if (goesOn) last.bdfEnd = bdf;
    else found.push({ bdfStart: bdf, bdfEnd: bdf, endpointStart: id, phandle });
  }
  return found;
}

const masks = fc.oneof(
  fc.constantFrom(0xffff, 0xfff8, 0xff07, 0x00ff, 0xff00, 0x0ff0, 0, 0xffff_ffff, 0xaaaa, 0x5555),
  fc.nat(0xffff),
);
const bases = fc.oneof(fc.nat(0xffff), fc.nat(0x40));
const lengths = fc.oneof(fc.nat(0x40), fc.nat(0x2_0000), fc.constant(0xffff_ffff));
const ids = fc.oneof(fc.nat(0x100), fc.integer({ min: 0xffff_ff00, max: 0xffff_ffff }));

describe('mappedFunctions', () => {
  it('finds what a walk through all functions finds', () => {
    const entry = fc.tuple(bases, fc.nat(2), ids, lengths);
    fc.assert(
      fc.property(masks, fc.array(entry, { minLength: 1, maxLength: 6 }), (mask, drawn) => {
        const entries = drawn.map(([base, ...rest]): Entry => [base & mask, ...rest]);
        // As text, since there can be 65,536 of them.
        expect(JSON.stringify(mapOf(entries, mask))).toBe(JSON.stringify(naive(entries, mask)));
      }),
      { numRuns: 12 },
    );
  });

  it('takes no time for functions that are behind nothing, nor for those of one range: 50,000 bridges', () => {
    const sparse = flatten({
      properties: { 'iommu-map': [0x10, 1, 7, 0xff], 'iommu-map-mask': [0xff] },
    });
    const whole = flatten({ properties: { 'iommu-map': [0, 1, 0, 0x1_0000] } });
    const bridges = [sparse, whole].map(readFlattenedTree);
    let count = 0;
    for (let turn = 0; turn < 500; turn += 1) count += mappedFunctions(bridges[0]!).length;
    for (let turn = 0; turn < 50_000; turn += 1) count += mappedFunctions(bridges[1]!).length;
    expect(count).toBe(500 * 256 + 50_000);
  });
});
