/** What a guest makes of a topology, in one form: so that descriptions of different kinds can be compared. */
import {
  type EndpointRange,
  IDS_PER_SEGMENT,
  type MmioEndpoint,
  type PciEndpointRange,
  type Topology,
} from './topology.ts';

/**
 * Ranges of one segment each, none overlapping another and none with its own IOMMU in it, joined where both BDFs and IDs go on,
 * in ascending order; of devices at the same place the later one. IOMMUs stay as they are.
 */
export function normalizeTopology(topology: Topology): Topology {
  const segments = new Map<number, PciEndpointRange[]>();
  const devices = new Map<number, MmioEndpoint>();
  for (const range of topology.endpoints) {
    if (range.kind === 'mmio') devices.set(range.base, range);
    else {
      for (let segment = range.segmentStart; segment <= range.segmentEnd; segment++) {
        segments.set(segment, overlaid(segments.get(segment) ?? [], ofSegment(range, segment)));
      }
    }
  }
  for (const { kind, base, iommu } of [...devices.values()]) {
    const own = topology.iommus[iommu];
    if (kind === 'mmio' && own?.kind !== 'pci' && own?.base === base) devices.delete(base);
  }
  const ranges = joined(
    [...segments.values()].flat().flatMap((piece) => withoutOwnIommu(piece, topology)),
  );
  const mmio = [...devices.values()].sort((a, b) => a.base - b.base);
  return { iommus: topology.iommus, endpoints: [...ranges, ...mmio] satisfies EndpointRange[] };
}

function ofSegment(range: PciEndpointRange, segment: number): PciEndpointRange {
  const endpointStart = range.endpointStart + (segment - range.segmentStart) * IDS_PER_SEGMENT;
  return { ...range, segmentStart: segment, segmentEnd: segment, endpointStart };
}

/** The later range counts: what the earlier ones of its segment have of it is cut out. */
function overlaid(pieces: PciEndpointRange[], added: PciEndpointRange): PciEndpointRange[] {
  const left = pieces.flatMap((piece) => [
    ...part(piece, piece.bdfStart, added.bdfStart - 1),
    ...part(piece, added.bdfEnd + 1, piece.bdfEnd),
  ]);
  return [...left, added];
}

/** What of a range lies between two BDFs, both inclusive. */
function part(range: PciEndpointRange, start: number, end: number): PciEndpointRange[] {
  const bdfStart = Math.max(range.bdfStart, start);
  const bdfEnd = Math.min(range.bdfEnd, end);
  if (bdfStart > bdfEnd) return [];
  const endpointStart = range.endpointStart + (bdfStart - range.bdfStart);
  return [{ ...range, bdfStart, bdfEnd, endpointStart }];
}

function withoutOwnIommu(piece: PciEndpointRange, { iommus }: Topology): PciEndpointRange[] {
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
