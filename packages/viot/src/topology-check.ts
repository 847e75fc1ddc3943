/** Refuses topologies that a guest would read differently from what was meant. */
import { formatPciAddress } from './pci-address.ts';
import { type EndpointRange, IDS_PER_SEGMENT, type Topology } from './topology.ts';
import { ViotError } from './viot-error.ts';

const LAST_ENDPOINT_ID = 0xffffffff;

/**
 * @throws ViotError `BDF`, `IOMMU`, `RANGE`, `ENDPOINT_ID` or `OVERLAP`
 */
export function checkTopology(topology: Topology): void {
  checkIommus(topology);
  for (const range of topology.endpoints) checkRange(range, topology.iommus.length);
  topology.endpoints.forEach((range, index) => {
    for (const earlier of topology.endpoints.slice(0, index)) checkPair(earlier, range);
  });
}

function checkIommus({ iommus }: Topology): void {
  const seen = new Set<string>();
  for (const iommu of iommus) {
    checkUint16(iommu.segment);
    checkUint16(iommu.bdf);
    const address = formatPciAddress(iommu);
    if (seen.has(address)) {
      throw new ViotError('IOMMU', `two IOMMUs at ${address}: name each function once`);
    }
    seen.add(address);
  }
}

function checkRange(range: EndpointRange, iommuCount: number): void {
  const { segmentStart, segmentEnd, bdfStart, bdfEnd, endpointStart } = range;
  for (const value of [segmentStart, segmentEnd, bdfStart, bdfEnd]) checkUint16(value);
  if (!Number.isInteger(range.iommu) || range.iommu < 0 || range.iommu >= iommuCount) {
    throw new ViotError(
      'IOMMU',
      `${describe(range)} names IOMMU ${range.iommu}, but the topology has ${iommuCount}`,
    );
  }
  if (segmentEnd < segmentStart || bdfEnd < bdfStart) {
    throw new ViotError('RANGE', `${describe(range)} ends before it starts`);
  }
  if (!Number.isInteger(endpointStart) || endpointStart < 0 || lastId(range) > LAST_ENDPOINT_ID) {
    throw new ViotError(
      'ENDPOINT_ID',
      `${describe(range)} starts at endpoint ID ${endpointStart}: IDs have 32 bits`,
    );
  }
}

function checkPair(a: EndpointRange, b: EndpointRange): void {
  const sameSegment = a.segmentStart <= b.segmentEnd && b.segmentStart <= a.segmentEnd;
  if (sameSegment && a.bdfStart <= b.bdfEnd && b.bdfStart <= a.bdfEnd) {
    throw new ViotError('OVERLAP', `${describe(a)} and ${describe(b)} have a function in common`);
  }
  if (a.iommu === b.iommu && shareEndpointId(a, b)) {
    throw new ViotError('OVERLAP', `${describe(a)} and ${describe(b)} share an endpoint ID`);
  }
}

/**
 * A range's IDs are one run per segment, 0x10000 apart. Two ranges share an ID when their first runs, moved against each
 * other by some number of segments that both ranges have, overlap.
 */
function shareEndpointId(a: EndpointRange, b: EndpointRange): boolean {
  const distance = b.endpointStart - a.endpointStart;
  const least = Math.ceil((-distance - (b.bdfEnd - b.bdfStart)) / IDS_PER_SEGMENT);
  const most = Math.floor((-distance + (a.bdfEnd - a.bdfStart)) / IDS_PER_SEGMENT);
  const lowestShift = -(a.segmentEnd - a.segmentStart);
  const highestShift = b.segmentEnd - b.segmentStart;
  return Math.max(least, lowestShift) <= Math.min(most, highestShift);
}

function lastId(range: EndpointRange): number {
  const segments = range.segmentEnd - range.segmentStart;
  return range.endpointStart + segments * IDS_PER_SEGMENT + (range.bdfEnd - range.bdfStart);
}

function checkUint16(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new ViotError('BDF', `${value}: segments and BDFs are integers of 16 bits`);
  }
}

function describe(range: EndpointRange): string {
  const start = formatPciAddress({ segment: range.segmentStart, bdf: range.bdfStart });
  const end = formatPciAddress({ segment: range.segmentEnd, bdf: range.bdfEnd });
  return `range ${start} to ${end}`;
}
