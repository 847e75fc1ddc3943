/** What there is to say of a topology, whatever table it came from. */
import { describeIommu, describeRange, hex } from '../describe.ts';
import {
  type EndpointRange,
  IDS_PER_SEGMENT,
  type Iommu,
  type PciEndpointRange,
  type Topology,
} from '../topology.ts';
import { shareEndpointId } from '../topology-check.ts';
import type { Finding, FindingCode, TopologyOffsets } from './finding.ts';

const LAST_ENDPOINT_ID = 0xffffffff;

/** Segments and BDFs, ends inclusive. */
interface Box {
  readonly segments: readonly [number, number];
  readonly bdfs: readonly [number, number];
}

export function lintTopology(topology: Topology, offsets: TopologyOffsets): Finding[] {
  const { iommus, endpoints } = topology;
  const findings: Finding[] = [];
  const at = (index: number): number => offsets.endpoints[index]!;
  const say = (
    code: FindingCode,
    severity: Finding['severity'],
    offset: number,
    message: string,
  ): void => {
    findings.push({ code, severity, offset, message });
  };

  const remaining = endpoints.map((range, index) => partsLeft(range, endpoints.slice(index + 1)));
  endpoints.forEach((range, index) => {
    if (isEmpty(range)) {
      say(
        'EMPTY_RANGE',
        'error',
        at(index),
        `${describeRange(range)} ends before it starts: no device is in it`,
      );
      return;
    }
    if (lastId(range) > LAST_ENDPOINT_ID) {
      say(
        'ID_OVERFLOW',
        'error',
        at(index),
        `endpoint IDs of the ${describeRange(range)} go up to ${hex(lastId(range))}, beyond 32 bits: Linux begins at 0 again`,
      );
    }
    lintShadow(range, remaining[index]!, at(index), say);
    endpoints.slice(index + 1).forEach((later, distance) => {
      const parts = remaining[index + 1 + distance]!;
      const share =
        later.iommu === range.iommu &&
        remaining[index]!.some((part) => parts.some((other) => shareEndpointId(part, other)));
      if (!share) return;
      say(
        'SHARED_ID',
        'warning',
        at(index),
        `${describeRange(range)} and ${describeRange(later)} share an endpoint ID of ${describeIommu(iommus[range.iommu]!)}`,
      );
    });
  });
  iommus.forEach((iommu, index) => {
    const offset = offsets.iommus[index]!;
    if (!endpoints.some((range) => range.iommu === index)) {
      say('UNUSED_IOMMU', 'warning', offset, `nothing is behind ${describeIommu(iommu)}`);
    }
    const above = endpoints.findLast((range) => holds(range, iommu));
    if (above?.iommu === index) {
      say(
        'OWN_RANGE',
        'note',
        offset,
        `${describeIommu(iommu)} lies in its own ${describeRange(above)}: Linux leaves it untranslated`,
      );
    } else if (above !== undefined) {
      say(
        'BEHIND_ANOTHER',
        'warning',
        offset,
        `${describeIommu(iommu)} lies behind ${describeIommu(iommus[above.iommu]!)}: no driver expects that`,
      );
    }
  });
  return findings;
}

/** What of a range is its own: what later ones do not have. */
function partsLeft(range: EndpointRange, later: readonly EndpointRange[]): EndpointRange[] {
  if (isEmpty(range)) return [];
  if (range.kind === 'mmio') {
    return later.some((other) => other.kind === 'mmio' && other.base === range.base) ? [] : [range];
  }
  let left = [boxOf(range)];
  for (const other of later) {
    if (other.kind === 'pci' && !isEmpty(other)) {
      left = left.flatMap((box) => without(box, boxOf(other)));
    }
  }
  return left.map(({ segments, bdfs }) => ({
    ...range,
    segmentStart: segments[0],
    segmentEnd: segments[1],
    bdfStart: bdfs[0],
    bdfEnd: bdfs[1],
    endpointStart:
      range.endpointStart +
      (segments[0] - range.segmentStart) * IDS_PER_SEGMENT +
      (bdfs[0] - range.bdfStart),
  }));
}

function lintShadow(
  range: EndpointRange,
  left: readonly EndpointRange[],
  offset: number,
  say: (code: FindingCode, severity: Finding['severity'], offset: number, message: string) => void,
): void {
  if (left.length === 0) {
    say(
      'SHADOWED',
      'warning',
      offset,
      `later nodes have all of the ${describeRange(range)}, and count in place of this one`,
    );
  } else if (describeRange(left[0]!) !== describeRange(range)) {
    say(
      'OVERLAP',
      'note',
      offset,
      `later nodes have a part of the ${describeRange(range)}, and count there`,
    );
  }
}

function isEmpty(range: EndpointRange): boolean {
  return (
    range.kind === 'pci' && (range.segmentEnd < range.segmentStart || range.bdfEnd < range.bdfStart)
  );
}

function holds(range: EndpointRange, iommu: Iommu): boolean {
  if (range.kind === 'mmio') return iommu.kind !== 'pci' && iommu.base === range.base;
  if (iommu.kind !== 'pci') return false;
  const inSegments = range.segmentStart <= iommu.segment && iommu.segment <= range.segmentEnd;
  return inSegments && range.bdfStart <= iommu.bdf && iommu.bdf <= range.bdfEnd;
}

function lastId(range: EndpointRange): number {
  if (range.kind === 'mmio') return range.endpoint;
  const segments = range.segmentEnd - range.segmentStart;
  return range.endpointStart + segments * IDS_PER_SEGMENT + (range.bdfEnd - range.bdfStart);
}

function boxOf(range: PciEndpointRange): Box {
  return {
    segments: [range.segmentStart, range.segmentEnd],
    bdfs: [range.bdfStart, range.bdfEnd],
  };
}

/** Up to four boxes: the segments before and after, and of those between the BDFs before and after. */
function without({ segments, bdfs }: Box, cut: Box): Box[] {
  const first = Math.max(segments[0], cut.segments[0]);
  const last = Math.min(segments[1], cut.segments[1]);
  if (first > last || bdfs[0] > cut.bdfs[1] || cut.bdfs[0] > bdfs[1]) return [{ segments, bdfs }];
  const boxes: Box[] = [
    { segments: [segments[0], first - 1], bdfs },
    { segments: [last + 1, segments[1]], bdfs },
    { segments: [first, last], bdfs: [bdfs[0], cut.bdfs[0] - 1] },
    { segments: [first, last], bdfs: [cut.bdfs[1] + 1, bdfs[1]] },
  ];
  return boxes.filter((box) => box.segments[0] <= box.segments[1] && box.bdfs[0] <= box.bdfs[1]);
}
