import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acpiTable, le } from '../fixtures/bytes-of.ts';
import { IASL_IORT, QEMU_IORT } from '../fixtures/vendor-tables.ts';
import type { PassedOver } from '../passed-over.ts';
import { endpointId, endpointRange } from '../topology.ts';
import { readIort } from './iort.ts';

/** Nodes from 48 on. */
function iort(...nodes: number[][]): Uint8Array {
  return acpiTable('IORT', [...le(4, nodes.length), ...le(4, 48), ...le(4, 0), ...nodes.flat()]);
}

/** @param fields all between the head of 16 bytes and the mappings */
function node(type: number, fields: number[], ...mappings: number[][]): number[] {
  const length = 16 + fields.length + mappings.flat().length;
  const head = [type, ...le(2, length), 0, ...le(4, 0), ...le(4, mappings.length)];
  return [...head, ...le(4, 16 + fields.length), ...fields, ...mappings.flat()];
}

function mapping(input: number, count: number, output: number, reference: number, flags = 0) {
  return [input, count, output, reference, flags].flatMap((value) => le(4, value));
}

const its = node(0, [...le(4, 1), ...le(4, 0)]); // 24 bytes
const smmu = (base: number) => node(3, [...le(8, base), ...le(36, 0)]); // 60 bytes
const smmuV3 = (base: number) => node(4, [...le(8, base), ...le(44, 0)]); // 68 bytes
const rootComplex = (segment: number, ...mappings: number[][]) =>
  node(2, [...le(8, 0), ...le(4, 0), ...le(4, segment)], ...mappings); // 32 bytes and the mappings

/** Offsets in a table of these three and what follows. */
const [ITS, SMMU, SMMU_V3, NEXT] = [48, 72, 132, 200];
const withSmmus = (...nodes: number[][]) => iort(its, smmu(0x1000), smmuV3(0x2000), ...nodes);

function range(segment: number, start: number, end: number, id: number, iommu: number) {
  const segments = { segmentStart: segment, segmentEnd: segment };
  return { kind: 'pci', ...segments, bdfStart: start, bdfEnd: end, endpointStart: id, iommu };
}

describe('readIort', () => {
  it('reads what iasl wrote: stream IDs, and nothing for what goes to the ITS alone', () => {
    const seen: PassedOver[] = [];
    const topology = readIort(IASL_IORT, { passedOver: (what) => seen.push(what) });
    expect(topology).toEqual({
      iommus: [
        { kind: 'vendor', model: 'smmu-v3', base: 0x09050000 },
        { kind: 'vendor', model: 'smmu', base: 0x2b400000 },
      ],
      endpoints: [range(2, 0, 0xff, 0x1000, 0), range(2, 0x200, 0x200, 7, 1)],
    });
    expect(seen).toEqual([{ offset: 0x150, reason: expect.stringContaining('"\\\\_SB.DEV0"') }]);
    expect(endpointId(topology, 2, 0x28)).toBe(0x1028);
    expect(endpointId(topology, 2, 0x100)).toBeUndefined();
    expect(endpointId(topology, 0, 0x28)).toBeUndefined();
  });

  it('reads what QEMU wrote', () => {
    expect(readIort(QEMU_IORT)).toEqual({
      iommus: [{ kind: 'vendor', model: 'smmu-v3', base: 0x09050000 }],
      endpoints: [range(0, 0, 0xff, 0, 0)],
    });
  });

  it('lets the first mapping of a function count, also one to the ITS alone', () => {
    const { endpoints } = readIort(
      withSmmus(
        rootComplex(
          0,
          mapping(0x100, 0xff, 0, ITS),
          mapping(0x80, 0x17f, 0x5080, SMMU_V3),
          mapping(0, 0xffff, 0, SMMU),
        ),
      ),
    );
    expect(endpoints).toEqual([
      range(0, 0x80, 0xff, 0x5080, 1),
      range(0, 0, 0x7f, 0, 0),
      range(0, 0x200, 0xffff, 0x200, 0),
    ]);
  });

  it('gives the last ID of a mapping to a later one that begins with it', () => {
    const topology = readIort(
      withSmmus(
        rootComplex(
          0,
          mapping(0, 0x100, 0x1000, SMMU_V3),
          mapping(0x100, 0x100, 0, SMMU),
          mapping(0x1f0, 0x20, 0x9000, SMMU_V3),
        ),
      ),
    );
    expect(endpointRange(topology, 0, 0xff)?.iommu).toBe(1);
    expect(endpointRange(topology, 0, 0x100)?.iommu).toBe(0);
    expect(endpointRange(topology, 0, 0x200)?.iommu).toBe(0);
    expect(endpointId(topology, 0, 0x210)).toBe(0x9020);
    expect(endpointId(topology, 0, 0x211)).toBeUndefined();
  });

  it('takes no more of a mapping than there are functions', () => {
    const { endpoints } = readIort(
      withSmmus(
        rootComplex(0, mapping(0xfff0, 0xffff, 0xffff_0000, SMMU_V3)),
        rootComplex(1, mapping(0x10000, 0xff, 0, SMMU_V3)),
      ),
    );
    expect(endpoints).toEqual([range(0, 0xfff0, 0xffff, 0xffff_0000, 1)]);
  });

  it('passes over single mappings, further root complexes of a segment, and what it does not know', () => {
    const seen: PassedOver[] = [];
    const name = [...'\\_SB.X'].map((character) => character.charCodeAt(0));
    const table = withSmmus(
      rootComplex(5, mapping(7, 7, 0x33, SMMU_V3, 1), mapping(0, 0xffff, 0, SMMU)),
      rootComplex(5, mapping(0, 0xffff, 0, SMMU)),
      node(1, [...le(13, 0), ...name, 0], mapping(0, 0, 0, ITS)),
      node(1, [...le(13, 0), ...name], mapping(0, 0, 0, SMMU)),
      node(5, le(16, 0), mapping(0, 0, 0, ITS)),
      node(6, le(12, 0), mapping(0, 0, 0, SMMU)),
      node(7, [], mapping(0, 0xffff, 0, 1)),
    );
    const { iommus, endpoints } = readIort(table, { passedOver: (what) => seen.push(what) });
    expect([iommus.length, endpoints]).toEqual([2, []]);
    expect(seen).toEqual([
      { offset: 380, reason: expect.stringContaining('_SB.X') },
      { offset: 535, reason: expect.stringContaining('type 7') },
      { offset: 232, reason: expect.stringContaining('65536 functions') },
      { offset: 272, reason: expect.stringContaining('segment 5') },
    ]);
  });

  const malformed: [string, string, number, Uint8Array][] = [
    ['too short a table', 'LENGTH', 0, acpiTable('IORT', le(11, 0))],
    [
      'a first node within the header',
      'NODE_BOUNDS',
      40,
      acpiTable('IORT', [...le(4, 0), ...le(4, 47), ...le(4, 0)]),
    ],
    [
      'a first node behind the end',
      'NODE_BOUNDS',
      40,
      acpiTable('IORT', [...le(4, 0), ...le(4, 49), ...le(4, 0)]),
    ],
    [
      'more nodes than fit',
      'NODE_BOUNDS',
      72,
      acpiTable('IORT', [...le(4, 0xffffffff), ...le(4, 48), ...le(4, 0), ...its]),
    ],
    ['a node of length 0', 'NODE_BOUNDS', 48, iort(le(16, 9))],
    ['a node beyond the end', 'NODE_BOUNDS', 48, iort([9, 17, 0, ...le(13, 0)])],
    ['too short an ITS group', 'NODE_BOUNDS', 48, iort(node(0, le(3, 0)))],
    ['too short a component', 'NODE_BOUNDS', 48, iort(node(1, le(13, 0)))],
    ['too short a root complex', 'NODE_BOUNDS', 48, iort(node(2, le(15, 0)))],
    ['too short an SMMU', 'NODE_BOUNDS', 48, iort(node(3, le(43, 0)))],
    ['too short an SMMUv3', 'NODE_BOUNDS', 48, iort(node(4, le(43, 0)))],
    ['too short a PMCG', 'NODE_BOUNDS', 48, iort(node(5, le(15, 0)))],
    ['too short an RMR', 'NODE_BOUNDS', 48, iort(node(6, le(11, 0)))],
    [
      'mappings among the fields',
      'NODE_BOUNDS',
      NEXT,
      withSmmus(rootComplex(0, mapping(0, 0, 0, SMMU)).with(12, 31)),
    ],
    [
      'mappings beyond the node',
      'NODE_BOUNDS',
      NEXT,
      withSmmus(rootComplex(0, mapping(0, 0, 0, SMMU)).with(8, 2)),
    ],
    [
      'input IDs beyond 32 bits',
      'RANGE',
      232,
      withSmmus(rootComplex(0, mapping(1, 0xffffffff, 0, SMMU))),
    ],
    [
      'output IDs beyond 32 bits',
      'ENDPOINT_ID',
      232,
      withSmmus(rootComplex(0, mapping(0, 1, 0xffffffff, SMMU))),
    ],
    [
      'a mapping to where no node is',
      'OUTPUT_NODE',
      232,
      withSmmus(rootComplex(0, mapping(0, 0, 0, 49))),
    ],
    [
      'a mapping to a root complex',
      'OUTPUT_NODE',
      232,
      withSmmus(rootComplex(0, mapping(0, 0, 0, NEXT))),
    ],
    ['a segment beyond 16 bits', 'BDF', NEXT, withSmmus(rootComplex(0x10000))],
    ['an address beyond 2^53', 'ADDRESS', 64, iort(smmu(2 ** 53))],
  ];
  it.each(malformed)('refuses %s', (_, code, offset, bytes) => {
    expect(() => readIort(bytes)).toThrowError(expect.objectContaining({ code, offset }));
  });

  it('answers any mappings with disjoint ranges or a ViotError', () => {
    const id = fc.oneof(fc.nat(0x300), fc.nat(0xffffffff));
    const anyMapping = fc
      .tuple(id, id, id, fc.constantFrom(ITS, SMMU, SMMU_V3), fc.nat(1))
      .map((fields) => mapping(...fields));
    fc.assert(
      fc.property(fc.array(anyMapping, { maxLength: 6 }), (mappings) => {
        try {
          const { endpoints } = readIort(withSmmus(rootComplex(0, ...mappings)));
          const sorted = endpoints.flatMap((of) => (of.kind === 'pci' ? [of] : []));
          sorted.sort((a, b) => a.bdfStart - b.bdfStart);
          for (const [index, { bdfStart, bdfEnd }] of sorted.entries()) {
            expect(bdfStart).toBeLessThanOrEqual(bdfEnd);
            expect(bdfStart).toBeGreaterThan(sorted[index - 1]?.bdfEnd ?? -1);
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
        }
      }),
    );
  });
});
