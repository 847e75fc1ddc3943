/** What a guest makes of a topology, in one form: so that descriptions of different kinds can be compared. */
import { describeIommu } from './describe.ts';
import {
  type EndpointRange,
  IDS_PER_SEGMENT,
  type Iommu,
  type MmioEndpoint,
  type PciEndpointRange,
  type Topology,
} from './topology.ts';
import { part, visibleParts } from './visible-parts.ts';

/**
 * Each IOMMU once: PCI functions, then addresses, each in ascending order. Ranges of one segment each, none overlapping
 * another and none with its own IOMMU in it, joined where both BDFs and IDs go on, in ascending order; of devices at the same
 * place the later one.
 *
 * @param topology with IOMMUs and bounds that exist
 */
export function normalizeTopology(topology: Topology): Topology {
  const { iommus, endpoints } = withSortedIommus(topology);
  const segments = new Map<number, PciEndpointRange[]>();
  const devices = new Map<number, MmioEndpoint>();
  for (const range of endpoints) {
    if (range.kind === 'mmio') devices.set(range.base, range);
    else {
      for (let segment = range.segmentStart; segment <= range.segmentEnd; segment++) {
        const ranges = segments.get(segment) ?? [];
        if (ranges.length === 0) segments.set(segment, ranges);
        ranges.push(ofSegment(range, segment));
      }
    }
  }
  const pieces = [...segments.values()].flatMap(visibleParts);
  const ranges = joined(pieces.flatMap((piece) => withoutOwnIommu(piece, iommus)));
  const mmio = [...devices.values()]
    .filter(({ base, iommu }) => !isAt(iommus[iommu]!, base))
    .sort((a, b) => a.base - b.base);
  return { iommus, endpoints: [...ranges, ...mmio] satisfies EndpointRange[] };
}

function withSortedIommus({ iommus, endpoints }: Topology): Topology {
  const byName = new Map(iommus.map((iommu) => [describeIommu(iommu), iommu]));
  const sorted = [...byName.values()].sort(compareIommus);
  const indexes = new Map(sorted.map((iommu, index) => [describeIommu(iommu), index]));
  const indexOf = (old: number): number => indexes.get(describeIommu(iommus[old]!))!;
  return {
    iommus: sorted,
    endpoints: endpoints.map((range) => ({ ...range, iommu: indexOf(range.iommu) })),
  };
}

function compareIommus(a: Iommu, b: Iommu): number {
  if (a.kind === 'pci' && b.kind === 'pci') return a.segment - b.segment || a.bdf - b.bdf;
  if (a.kind === 'pci' || b.kind === 'pci') return a.kind === 'pci' ? -1 : 1;
  return a.base - b.base;
}

function isAt(iommu: Iommu, base: number): boolean {
  return iommu.kind !== 'pci' && iommu.base === base;
}

function ofSegment(range: PciEndpointRange, segment: number): PciEndpointRange {
  const endpointStart = range.endpointStart + (segment - range.segmentStart) * IDS_PER_SEGMENT;
  return { ...range, segmentStart: segment, segmentEnd: segment, endpointStart };
}

function withoutOwnIommu(piece: PciEndpointRange, iommus: readonly Iommu[]): PciEndpointRange[] {
  const own = iommus[piece.iommu];
  if (own?.kind !== 'pci' || own.segment !== piece.segmentStart) return [piece];
  return [...part(piece, piece.bdfStart, own.bdf - 1), ...part(piece, own.bdf + 1, piece.bdfEnd)];
}

function joined(pieces: PciEndpointRange[]): PciEndpointRange[] {
  const sorted = pieces.sort((a, b) => a.segmentStart - b.segmentStart || a.bdfStart - b.bdfStart);
  const ranges: PciEndpointRange[] = [];
  for (const piece of sorted) {
    const last = ranges.at(-1);
    const distance = piece.bdfStart - (last?.bdfStart ?? 0);
    const goesOn =
      last !== undefined &&
      last.segmentStart === piece.segmentStart &&
      last.iommu === piece.iommu &&
      last.bdfEnd + 1 === piece.bdfStart &&
      last.endpointStart + distance === piece.endpointStart;
    if (goesOn) ranges[ranges.length - 1] = { ...last, bdfEnd: piece.bdfEnd };
    else ranges.push(piece);
  }
  return ranges;
}
