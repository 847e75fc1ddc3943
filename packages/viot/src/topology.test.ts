import { describe, expect, it } from 'vitest';
import {
  endpointId,
  endpointRange,
  mmioEndpoint,
  type PciEndpointRange,
  type Topology,
} from './topology.ts';

const iommu = { kind: 'pci', segment: 0, bdf: 0x20 } as const;

function range(changes: Partial<PciEndpointRange>): PciEndpointRange {
  const whole = { segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0xff };
  return { kind: 'pci', ...whole, endpointStart: 0, iommu: 0, ...changes };
}

describe('endpointId', () => {
  it('counts up from the start of the range, both ends inclusive', () => {
    const endpoints = [range({ bdfStart: 0x28, bdfEnd: 0x2f, endpointStart: 0x1000 })];
    const topology: Topology = { iommus: [iommu], endpoints };
    expect(endpointId(topology, 0, 0x28)).toBe(0x1000);
    expect(endpointId(topology, 0, 0x2f)).toBe(0x1007);
    expect(endpointId(topology, 0, 0x27)).toBeUndefined();
    expect(endpointId(topology, 0, 0x30)).toBeUndefined();
    expect(endpointId(topology, 1, 0x28)).toBeUndefined();
  });

  it('goes on 0x10000 later in the next segment', () => {
    const endpoints = [range({ segmentStart: 2, segmentEnd: 3, bdfStart: 0x10, endpointStart: 5 })];
    const topology: Topology = { iommus: [iommu], endpoints };
    expect(endpointId(topology, 2, 0x10)).toBe(5);
    expect(endpointId(topology, 3, 0x11)).toBe(0x10006);
    expect(endpointId(topology, 4, 0x11)).toBeUndefined();
  });

  it('does not overflow at the end of 32 bits', () => {
    const endpoints = [range({ segmentEnd: 0xffff, bdfEnd: 0xffff })];
    expect(endpointId({ iommus: [], endpoints }, 0xffff, 0xffff)).toBe(0xffffffff);
  });

  it('takes the later of overlapping ranges, as Linux does', () => {
    const endpoints = [range({}), range({ bdfStart: 0x28, bdfEnd: 0x28, endpointStart: 0x77 })];
    const topology: Topology = { iommus: [iommu], endpoints };
    expect(endpointId(topology, 0, 0x28)).toBe(0x77);
    expect(endpointId(topology, 0, 0x29)).toBe(0x29);
    expect(endpointRange(topology, 0, 0x28)).toBe(endpoints[1]);
  });

  it('leaves an IOMMU within its own range untranslated', () => {
    const topology: Topology = { iommus: [iommu], endpoints: [range({})] };
    expect(endpointId(topology, 0, 0x20)).toBeUndefined();
    expect(endpointId(topology, 0, 0x21)).toBe(0x21);
  });
});

describe('mmioEndpoint', () => {
  it('finds a device by its address, the later one of two, and never an IOMMU behind itself', () => {
    const endpoints = [
      { kind: 'mmio', base: 0x9000, endpoint: 1, iommu: 0 },
      { kind: 'mmio', base: 0x9000, endpoint: 2, iommu: 0 },
      { kind: 'mmio', base: 0x5000, endpoint: 3, iommu: 0 },
    ] as const;
    const topology: Topology = { iommus: [{ kind: 'mmio', base: 0x5000 }], endpoints };
    expect(mmioEndpoint(topology, 0x9000)).toBe(endpoints[1]);
    expect(mmioEndpoint(topology, 0x5000)).toBeUndefined();
    expect(mmioEndpoint(topology, 0x9001)).toBeUndefined();
  });
});
