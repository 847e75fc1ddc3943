/** Refuses topologies that a guest would read differently from what was meant. */
import { describeIommu, describeRange } from './describe.ts';
import { type EndpointRange, IDS_PER_SEGMENT, type Iommu, type Topology } from './topology.ts';
import { ViotError } from './viot-error.ts';

export const LAST_ENDPOINT_ID = 0xffffffff;

/** Endpoint IDs of a range: runs of `length`, one for each of `segments`, 0x10000 apart. */
interface IdRuns {
  readonly start: number;
  readonly length: number;
  readonly segments: number;
}

/** @throws ViotError `BDF`, `ADDRESS`, `IOMMU`, `RANGE`, `ENDPOINT_ID` or `OVERLAP` */
export function checkTopology(topology: Topology): void {
  checkParts(topology);
  topology.endpoints.forEach((range, index) => {
    for (const earlier of topology.endpoints.slice(0, index)) checkPair(earlier, range);
  });
}

/**
 * Each IOMMU and each range for itself: ranges may overlap.
 *
 * @throws ViotError `BDF`, `ADDRESS`, `IOMMU`, `RANGE` or `ENDPOINT_ID`
 */
export function checkParts(topology: Topology): void {
  checkIommus(topology);
  for (const range of topology.endpoints) checkRange(range, topology.iommus.length);
}

/**
 * For a topology that is normalized, so that ranges have no device in common.
 *
 * @throws ViotError `OVERLAP` when two devices have one endpoint ID of one IOMMU
 */
export function checkDistinctIds({ endpoints }: Topology): void {
  const sorted = endpoints.toSorted(
    (a, b) => a.iommu - b.iommu || idRuns(a).start - idRuns(b).start,
  );
  sorted.slice(1).forEach((range, index) => {
    checkPair(sorted[index]!, range);
  });
}

/** @throws ViotError `IOMMU` when one of them is no virtio device, which the form could not name */
export function checkVirtio(iommus: readonly Iommu[], form: string): void {
  const other = iommus.find(({ kind }) => kind === 'vendor');
  if (other !== undefined) {
    throw new ViotError(
      'IOMMU',
      `${describeIommu(other)} is no virtio device, and ${form} has no word for it: put a virtio-iommu in its place`,
    );
  }
}

function checkIommus({ iommus }: Topology): void {
  const seen = new Set<string>();
  for (const iommu of iommus) {
    if (iommu.kind === 'pci') {
      checkUint16(iommu.segment);
      checkUint16(iommu.bdf);
    } else checkAddress(iommu.base);
    const name = describeIommu(iommu);
    if (seen.has(name)) throw new ViotError('IOMMU', `two are ${name}: name each device once`);
    seen.add(name);
  }
}

function checkRange(range: EndpointRange, iommuCount: number): void {
  if (!Number.isInteger(range.iommu) || range.iommu < 0 || range.iommu >= iommuCount) {
    throw new ViotError(
      'IOMMU',
      `${describeRange(range)} names IOMMU ${range.iommu}, but the topology has ${iommuCount}`,
    );
  }
  if (range.kind === 'mmio') checkAddress(range.base);
  else {
    const { segmentStart, segmentEnd, bdfStart, bdfEnd } = range;
    for (const value of [segmentStart, segmentEnd, bdfStart, bdfEnd]) checkUint16(value);
    if (segmentEnd < segmentStart || bdfEnd < bdfStart) {
      throw new ViotError('RANGE', `${describeRange(range)} ends before it starts`);
    }
  }
  const { start, length, segments } = idRuns(range);
  const last = start + (segments - 1) * IDS_PER_SEGMENT + length - 1;
  if (!Number.isInteger(start) || start < 0 || last > LAST_ENDPOINT_ID) {
    throw new ViotError(
      'ENDPOINT_ID',
      `${describeRange(range)} starts at endpoint ID ${start}: IDs have 32 bits`,
    );
  }
}

function checkPair(a: EndpointRange, b: EndpointRange): void {
  if (shareDevice(a, b)) {
    throw new ViotError(
      'OVERLAP',
      `${describeRange(a)} and ${describeRange(b)} have a device in common`,
    );
  }
  if (a.iommu === b.iommu && shareEndpointId(a, b)) {
    throw new ViotError(
      'OVERLAP',
      `${describeRange(a)} and ${describeRange(b)} share an endpoint ID`,
    );
  }
}

/** Neither range is empty. */
export function shareDevice(a: EndpointRange, b: EndpointRange): boolean {
  if (a.kind === 'mmio' || b.kind === 'mmio') {
    return a.kind === 'mmio' && b.kind === 'mmio' && a.base === b.base;
  }
  const sameSegment = a.segmentStart <= b.segmentEnd && b.segmentStart <= a.segmentEnd;
  return sameSegment && a.bdfStart <= b.bdfEnd && b.bdfStart <= a.bdfEnd;
}

/** Two ranges share an ID when their first runs, moved against each other by some segments that both have, overlap. */
export function shareEndpointId(one: EndpointRange, other: EndpointRange): boolean {
  const a = idRuns(one);
  const b = idRuns(other);
  const distance = b.start - a.start;
  const least = Math.ceil((-distance - (b.length - 1)) / IDS_PER_SEGMENT);
  const most = Math.floor((-distance + (a.length - 1)) / IDS_PER_SEGMENT);
  return Math.max(least, 1 - a.segments) <= Math.min(most, b.segments - 1);
}

function idRuns(range: EndpointRange): IdRuns {
  if (range.kind === 'mmio') return { start: range.endpoint, length: 1, segments: 1 };
  return {
    start: range.endpointStart,
    length: range.bdfEnd - range.bdfStart + 1,
    segments: range.segmentEnd - range.segmentStart + 1,
  };
}

function checkUint16(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new ViotError('BDF', `${value}: segments and BDFs are integers of 16 bits`);
  }
}

function checkAddress(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ViotError('ADDRESS', `${value}: addresses are integers below 2^53`);
  }
}
