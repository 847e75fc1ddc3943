import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizeTopology } from './normalize.ts';
import { endpointId, type PciEndpointRange, type Topology } from './topology.ts';

const iommu = { kind: 'pci', segment: 0, bdf: 0x20 } as const;

function range(changes: Partial<PciEndpointRange>): PciEndpointRange {
  const whole = { segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0xff };
  return { kind: 'pci', ...whole, endpointStart: 0, iommu: 0, ...changes };
}

const ranges = fc
  .record({
    segment: fc.nat(2),
    segments: fc.nat(1),
    start: fc.nat(60),
    length: fc.nat(30),
    id: fc.nat(20),
    iommu: fc.nat(1),
  })
  .map(({ segment, segments, start, length, id, iommu: index }) =>
    range({
      segmentStart: segment,
      segmentEnd: segment + segments,
      bdfStart: start,
      bdfEnd: start + length,
      endpointStart: id,
      iommu: index,
    }),
  );

describe('normalizeTopology', () => {
  it('splits segments, cuts overlaps and the own IOMMU out, and joins what goes on', () => {
    const topology: Topology = {
      iommus: [iommu],
      endpoints: [
        range({ segmentEnd: 1 }),
        range({ bdfStart: 0x80, bdfEnd: 0x8f, endpointStart: 0x1000 }),
        range({ bdfStart: 0x100, bdfEnd: 0x1ff, endpointStart: 0x100 }),
      ],
    };
    expect(normalizeTopology(topology).endpoints).toEqual([
      range({ bdfEnd: 0x1f }),
      range({ bdfStart: 0x21, bdfEnd: 0x7f, endpointStart: 0x21 }),
      range({ bdfStart: 0x80, bdfEnd: 0x8f, endpointStart: 0x1000 }),
      range({ bdfStart: 0x90, bdfEnd: 0x1ff, endpointStart: 0x90 }),
      range({ segmentStart: 1, segmentEnd: 1, endpointStart: 0x10000 }),
    ]);
  });

  it('keeps the later of two devices at one address, and no IOMMU behind itself', () => {
    const topology: Topology = {
      iommus: [{ kind: 'mmio', base: 0x5000 }],
      endpoints: [
        { kind: 'mmio', base: 0x9000, endpoint: 1, iommu: 0 },
        { kind: 'mmio', base: 0x9000, endpoint: 2, iommu: 0 },
        { kind: 'mmio', base: 0x5000, endpoint: 3, iommu: 0 },
      ],
    };
    expect(normalizeTopology(topology).endpoints).toEqual([topology.endpoints[1]]);
  });

  it('has each IOMMU once, in one order', () => {
    const mmio = { kind: 'mmio', base: 0x5000 } as const;
    const topology: Topology = {
      iommus: [mmio, { ...iommu, segment: 1 }, iommu, { ...iommu }],
      endpoints: [
        range({ iommu: 0 }),
        range({ bdfStart: 0x200, bdfEnd: 0x2ff, endpointStart: 0x200, iommu: 2 }),
        range({ bdfStart: 0x300, bdfEnd: 0x3ff, endpointStart: 0x300, iommu: 3 }),
      ],
    };
    expect(normalizeTopology(topology)).toEqual({
      iommus: [iommu, { ...iommu, segment: 1 }, mmio],
      endpoints: [
        range({ iommu: 2 }),
        range({ bdfStart: 0x200, bdfEnd: 0x3ff, endpointStart: 0x200, iommu: 0 }),
      ],
    });
  });

  it('changes nothing that a guest sees, and nothing twice', () => {
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 6 }), (endpoints) => {
        const topology: Topology = { iommus: [iommu, { ...iommu, segment: 1 }], endpoints };
        const normal = normalizeTopology(topology);
        for (let segment = 0; segment < 4; segment++) {
          for (let bdf = 0; bdf < 100; bdf++) {
            expect(endpointId(normal, segment, bdf)).toBe(endpointId(topology, segment, bdf));
          }
        }
        expect(normalizeTopology(normal)).toEqual(normal);
      }),
    );
  });

  it('is quick with all segments', () => {
    const all = range({ segmentEnd: 0xffff, bdfEnd: 0xffff });
    const topology: Topology = { iommus: [iommu], endpoints: [all, range({ segmentEnd: 0xffff })] };
    expect(normalizeTopology(topology).endpoints).toHaveLength(0x10001);
  });

  it('is quick with a range for each of many functions', () => {
    const endpoints = Array.from({ length: 20_000 }, (_, index) =>
      range({ bdfStart: 0x100 + index, bdfEnd: 0x100 + index, endpointStart: 2 * index }),
    );
    const topology: Topology = { iommus: [iommu], endpoints };
    expect(normalizeTopology(topology).endpoints).toEqual(endpoints);
  });
});
