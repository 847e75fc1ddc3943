import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Topology } from '../topology.ts';
import { encodeViot } from './encode.ts';
import { lintViot } from './lint.ts';
import { topologyTable, writeViot } from './topology-table.ts';
import type { ViotNode, ViotTable } from './viot-table.ts';

const PLAIN: Topology = {
  iommus: [{ kind: 'pci', segment: 0, bdf: 0x20 }],
  endpoints: [],
};
const header = topologyTable(PLAIN).header;
const iommu: ViotNode = { type: 'virtio-iommu-pci', segment: 0, bdf: 0x20 };

function range(changes: Partial<Extract<ViotNode, { type: 'pci-range' }>> = {}): ViotNode {
  return {
    type: 'pci-range',
    ...{ endpointStart: 0x1000, segmentStart: 0, segmentEnd: 0, bdfStart: 0x100, bdfEnd: 0x1ff },
    outputNode: 48,
    ...changes,
  };
}

function fixed(bytes: Uint8Array): Uint8Array {
  bytes[9] = 0;
  bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

/** Code and offset of each finding. */
function lint(...nodes: ViotNode[]): [string, number][] {
  return findings(encodeViot({ header, nodes } satisfies ViotTable));
}

function findings(bytes: Uint8Array): [string, number][] {
  return lintViot(bytes).findings.map(({ code, offset }) => [code, offset]);
}

describe('lintViot', () => {
  it('has nothing to say of a table that says what it means', () => {
    const topology: Topology = {
      iommus: PLAIN.iommus,
      endpoints: [
        {
          kind: 'pci',
          segmentStart: 0,
          segmentEnd: 1,
          bdfStart: 0x28,
          bdfEnd: 0xff,
          endpointStart: 0x28,
          iommu: 0,
        },
        { kind: 'mmio', base: 0x1000, endpoint: 0x50000, iommu: 0 },
      ] satisfies Topology['endpoints'],
    };
    expect(lintViot(writeViot(topology))).toEqual({ findings: [], topology });
  });

  // Nodes are at 48 (the IOMMU, 16 bytes), 64, 88, 112.
  const cases: [string, ViotNode[], [string, number][]][] = [
    [
      'a node of an unknown type',
      [iommu, range(), { type: 'unknown', nodeType: 9, content: '00ff' }],
      [['UNKNOWN_NODE', 88]],
    ],
    ['an IOMMU without devices', [iommu], [['UNUSED_IOMMU', 48]]],
    [
      'an IOMMU in its own range',
      [iommu, range({ bdfStart: 0, bdfEnd: 0xff })],
      [['OWN_RANGE', 48]],
    ],
    [
      'an IOMMU behind another',
      [
        iommu,
        { ...iommu, bdf: 0x110 } as ViotNode,
        range(),
        range({ bdfStart: 0x300, bdfEnd: 0x3ff, outputNode: 64 }),
      ],
      [['BEHIND_ANOTHER', 64]],
    ],
    [
      'endpoint IDs beyond 32 bits',
      [iommu, range({ endpointStart: 0xffffff01 })],
      [['ID_OVERFLOW', 64]],
    ],
    [
      'a range with a later one on top',
      [iommu, range(), range({ endpointStart: 0x5000 })],
      [['SHADOWED', 64]],
    ],
    [
      'a range that two later ones have together',
      [
        iommu,
        range({ segmentEnd: 1 }),
        range({ bdfEnd: 0x17f, segmentEnd: 1 }),
        range({ bdfStart: 0x180, endpointStart: 0x5000, segmentEnd: 4 }),
      ],
      [['SHADOWED', 64]],
    ],
    [
      'a range with a hole',
      [iommu, range(), range({ bdfStart: 0x120, bdfEnd: 0x12f, endpointStart: 0x5000 })],
      [['OVERLAP', 64]],
    ],
    [
      'ranges that share IDs',
      [iommu, range(), range({ bdfStart: 0x300, bdfEnd: 0x310, endpointStart: 0x10ff })],
      [['SHARED_ID', 64]],
    ],
    [
      'an MMIO IOMMU, and a device twice',
      [
        { type: 'virtio-iommu-mmio', base: 0x5000 },
        { type: 'mmio-endpoint', endpoint: 1, base: 0x9000, outputNode: 48 },
        { type: 'mmio-endpoint', endpoint: 1, base: 0x9000, outputNode: 48 },
      ],
      [
        ['MMIO_IOMMU', 48],
        ['SHADOWED', 64],
      ],
    ],
    [
      'an MMIO IOMMU that is its own endpoint',
      [
        { type: 'virtio-iommu-mmio', base: 0x5000 },
        { type: 'mmio-endpoint', endpoint: 1, base: 0x5000, outputNode: 48 },
      ],
      [
        ['MMIO_IOMMU', 48],
        ['OWN_RANGE', 48],
      ],
    ],
  ];
  it.each(cases)('finds %s', (_, nodes, expected) => {
    expect(lint(...nodes)).toEqual(expected);
  });

  const valid = encodeViot({
    header,
    nodes: [iommu, range(), range({ bdfStart: 0x200, bdfEnd: 0x2ff, endpointStart: 0x5000 })],
  });
  const broken: [string, Record<number, number>, [string, number][]][] = [
    ['an IOMMU that is not there', { 80: 47 }, [['UNRESOLVABLE', 64]]],
    ['a range as IOMMU', { 80: 64 }, [['UNRESOLVABLE', 64]]],
    [
      'too short an IOMMU',
      { 36: 4, 50: 12, 60: 9, 62: 4 },
      [
        ['UNKNOWN_NODE', 60],
        ['UNRESOLVABLE', 64],
        ['UNRESOLVABLE', 88],
      ],
    ],
    ['a range that ends before it starts', { 79: 0 }, [['EMPTY_RANGE', 64]]],
    [
      'a node of length 0',
      { 66: 0 },
      [
        ['UNUSED_IOMMU', 48],
        ['STOPPED', 64],
      ],
    ],
    [
      'too short a range',
      { 66: 20 },
      [
        ['UNUSED_IOMMU', 48],
        ['STOPPED', 64],
      ],
    ],
    [
      'a table that ends in a node',
      { 36: 2, 4: 80 },
      [
        ['UNUSED_IOMMU', 48],
        ['TRUNCATED', 64],
      ],
    ],
    ['more nodes than there are', { 36: 4 }, [['STOPPED', 112]]],
    ['fewer nodes than there are', { 36: 2 }, [['TRAILING', 88]]],
    ['a first node in the header', { 38: 40 }, [['STOPPED', 40]]],
  ];
  it.each(broken)('finds %s', (_, changes, expected) => {
    const bytes = valid.slice();
    for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
    expect(findings(fixed(bytes.slice(0, bytes[4])))).toEqual(expected);
  });

  it('resolves an IOMMU that the node count leaves out, as Linux does', () => {
    const bytes = encodeViot({ header, nodes: [range({ outputNode: 72 }), iommu] });
    bytes[36] = 1;
    const { topology } = lintViot(fixed(bytes));
    expect(topology?.iommus).toEqual(PLAIN.iommus);
    expect(topology?.endpoints).toHaveLength(1);
  });

  it('says of what is no VIOT that Linux does not take it', () => {
    expect(findings(new Uint8Array(10))).toEqual([['TABLE', 0]]);
    const short = valid.slice(0, -1);
    expect(lintViot(short)).toMatchObject({ findings: [{ code: 'TABLE' }], topology: undefined });
  });

  it('goes on when the bytes do not sum up to 0, as Linux does', () => {
    const damaged = valid.slice();
    damaged[10]! += 1;
    const { findings, topology } = lintViot(damaged);
    expect(findings).toMatchObject([{ code: 'CHECKSUM', severity: 'warning', offset: 9 }]);
    expect(topology).toEqual(lintViot(valid).topology);
  });

  it('answers any bytes, in order of offsets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 160 }), fc.nat(6), (bytes, count) => {
        bytes.set([0x56, 0x49, 0x4f, 0x54, bytes.length, 0, 0, 0]);
        bytes.set([count, 0, 48, 0], 36);
        for (let at = 48; at + 4 <= bytes.length; at += 24) {
          bytes[at]! %= 6;
          bytes.set([0, 24, 0], at + 1);
        }
        const offsets = findings(fixed(bytes)).map(([, offset]) => offset);
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      }),
    );
  });
});
