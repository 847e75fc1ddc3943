import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topologyArbitrary } from '../fixtures/topology-arbitrary.ts';
import { endpointId } from '../topology.ts';
import { readViot, writeViot } from './topology-table.ts';

/** Header of 48 bytes with the given nodes, length and checksum right. */
function table(
  nodeCount: number,
  nodes: number[],
  changes: Record<number, number> = {},
): Uint8Array {
  const header = new Array<number>(48).fill(0);
  header.splice(0, 4, 0x56, 0x49, 0x4f, 0x54);
  header[36] = nodeCount;
  header[38] = 48;
  const bytes = Uint8Array.from([...header, ...nodes]);
  bytes[4] = bytes.length;
  for (const [offset, value] of Object.entries(changes)) bytes[Number(offset)] = value;
  bytes[9] = 0;
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

const IOMMU = [3, 0, 16, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const MMIO_IOMMU = [4, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0x1d, 0, 0, 0, 0];
const MMIO_ENDPOINT = [2, 0, 24, 0, 0, 0, 1, 0, 0, 0, 0, 0x1c, 0, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0];

/** BDFs 00:05.0 to 00:05.7, endpoint IDs from 0x500. */
function range(outputNode: number): number[] {
  return [1, 0, 24, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x28, 0, 0x2f, 0, outputNode, 0, 0, 0, 0, 0, 0, 0];
}

const ONE_RANGE = {
  kind: 'pci',
  segmentStart: 0,
  segmentEnd: 0,
  bdfStart: 0x28,
  bdfEnd: 0x2f,
  endpointStart: 0x500,
  iommu: 0,
};
const ONE_IOMMU = { kind: 'pci', segment: 0, bdf: 0x20 };

describe('readViot', () => {
  it('reads an IOMMU and its range, in either order', () => {
    const expected = { iommus: [ONE_IOMMU], endpoints: [ONE_RANGE] };
    expect(readViot(table(2, [...IOMMU, ...range(48)]))).toEqual(expected);
    expect(readViot(table(2, [...range(72), ...IOMMU]))).toEqual(expected);
  });

  it('reads a table inside a larger buffer, and no further than its length', () => {
    const bytes = table(2, [...IOMMU, ...range(48)]);
    const larger = new Uint8Array(200).fill(0xff);
    larger.set(bytes, 7);
    expect(readViot(larger.subarray(7)).endpoints).toEqual([ONE_RANGE]);
  });

  it('reads all kinds of nodes, and passes over those it does not know', () => {
    const unknown = [77, 0, 8, 0, 1, 2, 3, 4];
    const nodes = [
      ...IOMMU,
      ...unknown,
      ...MMIO_ENDPOINT,
      ...MMIO_IOMMU,
      ...range(96),
      ...range(48),
    ];
    expect(readViot(table(6, nodes))).toEqual({
      iommus: [ONE_IOMMU, { kind: 'mmio', base: 0x1d000000 }],
      endpoints: [
        { kind: 'mmio', endpoint: 0x10000, base: 0x1c000000, iommu: 0 },
        { ...ONE_RANGE, iommu: 1 },
        ONE_RANGE,
      ],
    });
  });

  it('keeps overlapping ranges in order: the later node counts', () => {
    const later = range(48);
    later[4] = 0x42;
    expect(endpointId(readViot(table(3, [...IOMMU, ...range(48), ...later])), 0, 0x29)).toBe(0x543);
  });

  const malformed: [string, string, number, Uint8Array][] = [
    ['another signature', 'SIGNATURE', 0, table(1, IOMMU, { 0: 0x58 })],
    ['too short a table', 'LENGTH', 0, table(0, []).subarray(0, 47)],
    ['a length beyond the bytes', 'LENGTH', 4, table(1, IOMMU, { 4: 65 })],
    ['a length within the header', 'LENGTH', 4, table(1, IOMMU, { 4: 47 })],
    ['a first node within the header', 'NODE_BOUNDS', 38, table(1, IOMMU, { 38: 36 })],
    ['a first node behind the end', 'NODE_BOUNDS', 38, table(1, IOMMU, { 38: 65 })],
    ['a first node at the end', 'NODE_BOUNDS', 64, table(1, IOMMU, { 38: 64 })],
    ['more nodes than fit', 'NODE_BOUNDS', 64, table(2, IOMMU)],
    ['a node of length 0', 'NODE_BOUNDS', 48, table(1, [9, 0, 0, 0])],
    ['a node beyond the end', 'NODE_BOUNDS', 48, table(1, [9, 0, 5, 0])],
    ['too short an IOMMU node', 'NODE_BOUNDS', 48, table(1, IOMMU, { 50: 15 })],
    ['too short a range node', 'NODE_BOUNDS', 64, table(2, [...IOMMU, ...range(48)], { 66: 23 })],
    [
      'an IOMMU that the node count leaves out',
      'OUTPUT_NODE',
      48,
      table(1, [...range(72), ...IOMMU]),
    ],
    ['an IOMMU in the header', 'OUTPUT_NODE', 48, table(1, range(0))],
    ['an IOMMU inside a node', 'OUTPUT_NODE', 64, table(2, [...IOMMU, ...range(52)])],
    ['a range as IOMMU', 'OUTPUT_NODE', 48, table(1, range(48))],
    [
      'BDFs that end before they start',
      'RANGE',
      64,
      table(2, [...IOMMU, ...range(48)], { 76: 0x30 }),
    ],
    [
      'segments that end before they start',
      'RANGE',
      64,
      table(2, [...IOMMU, ...range(48)], { 72: 1 }),
    ],
    ['an address beyond 2^53', 'ADDRESS', 56, table(1, MMIO_IOMMU, { 62: 0x20 })],
  ];
  it.each(malformed)('refuses %s', (_, code, offset, bytes) => {
    expect(() => readViot(bytes)).toThrowError(expect.objectContaining({ code, offset }));
  });

  it('refuses a table with any one byte damaged', () => {
    const bytes = table(2, [...IOMMU, ...range(48)]);
    bytes[60] = 1;
    expect(() => readViot(bytes)).toThrowError(expect.objectContaining({ code: 'CHECKSUM' }));
  });

  it('answers any bytes with a topology or a ViotError', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 80 }), fc.nat(9), (nodes, nodeCount) => {
        try {
          readViot(table(nodeCount, nodes));
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError' });
        }
      }),
    );
  });
});

describe('writeViot and readViot', () => {
  it('agree on every topology', () => {
    fc.assert(
      fc.property(topologyArbitrary(), (topology) => {
        expect(readViot(writeViot(topology))).toEqual(topology);
      }),
    );
  });
});
