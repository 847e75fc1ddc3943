/** What there is to say of a topology, whatever table it came from. */
import { describeIommu, describeRange, hex } from '../describe.ts';
import { type EndpointRange, IDS_PER_SEGMENT, type Iommu, type Topology } from '../topology.ts';
import { LAST_ENDPOINT_ID, shareEndpointId } from '../topology-check.ts';
import type { Finding, TopologyOffsets } from './finding.ts';
import { isEmpty, remainingRanges } from './remaining-ranges.ts';

export function lintTopology(topology: Topology, offsets: TopologyOffsets): Finding[] {
  return [
    ...lintEndpoints(topology, offsets.endpoints),
    ...topology.iommus.flatMap((_, index) => lintIommu(topology, index, offsets.iommus[index]!)),
  ];
}

function lintEndpoints({ iommus, endpoints }: Topology, offsets: readonly number[]): Finding[] {
  const remaining = remainingRanges(endpoints);
  const sharers = rangesSharingIds(endpoints, remaining);
  return endpoints.flatMap((range, index): Finding[] => {
    const offset = offsets[index]!;
    const sharer = sharers.get(index);
    if (isEmpty(range)) {
      const message = `${describeRange(range)} ends before it starts: no device is in it`;
      return [{ code: 'EMPTY_RANGE', severity: 'error', offset, message }];
    }
    const findings = [
      ...lintIds(range, offset),
      ...lintRemaining(range, remaining[index]!, offset),
    ];
    if (sharer !== undefined) {
      const message = `${describeRange(range)} and ${describeRange(sharer)} share an endpoint ID of ${describeIommu(iommus[range.iommu]!)}`;
      findings.push({ code: 'SHARED_ID', severity: 'warning', offset, message });
    }
    return findings;
  });
}

/** By the index of a range the next one, if there is any, that has one of its endpoint IDs for another device. */
function rangesSharingIds(
  endpoints: readonly EndpointRange[],
  remaining: readonly (readonly EndpointRange[])[],
): Map<number, EndpointRange> {
  const sharers = new Map<number, EndpointRange>();
  const ids = endpoints.map((range) => ({ first: firstId(range), last: lastId(range) }));
  endpoints.forEach((range, index) => {
    const { first, last } = ids[index]!;
    for (let later = index + 1; later < endpoints.length; later++) {
      if (endpoints[later]!.iommu !== range.iommu) continue;
      // Most ranges are far apart, and there may be many.
      if (ids[later]!.first > last || ids[later]!.last < first) continue;
      if (!shareAnyId(remaining[index]!, remaining[later]!)) continue;
      sharers.set(index, endpoints[later]!);
      return;
    }
  });
  return sharers;
}

function lintIds(range: EndpointRange, offset: number): Finding[] {
  const last = lastId(range);
  if (last <= LAST_ENDPOINT_ID) return [];
  const message = `endpoint IDs of the ${describeRange(range)} go up to ${hex(last)}, beyond 32 bits: Linux begins at 0 again`;
  return [{ code: 'ID_OVERFLOW', severity: 'error', offset, message }];
}

function lintRemaining(
  range: EndpointRange,
  remaining: readonly EndpointRange[],
  offset: number,
): Finding[] {
  const name = describeRange(range);
  if (remaining.length === 0) {
    const message = `later nodes have all of the ${name}, and count in place of this one`;
    return [{ code: 'SHADOWED', severity: 'warning', offset, message }];
  }
  if (describeRange(remaining[0]!) === name) return [];
  const message = `later nodes have a part of the ${name}, and count there`;
  return [{ code: 'OVERLAP', severity: 'note', offset, message }];
}

function lintIommu({ iommus, endpoints }: Topology, index: number, offset: number): Finding[] {
  const findings: Finding[] = [];
  const iommu = iommus[index]!;
  const name = describeIommu(iommu);
  if (!endpoints.some((range) => range.iommu === index)) {
    const message = `nothing is behind ${name}`;
    findings.push({ code: 'UNUSED_IOMMU', severity: 'warning', offset, message });
  }
  const above = endpoints.findLast((range) => holds(range, iommu));
  if (above?.iommu === index) {
    const message = `${name} lies in its own ${describeRange(above)}: Linux leaves it untranslated`;
    findings.push({ code: 'OWN_RANGE', severity: 'note', offset, message });
  } else if (above !== undefined) {
    const message = `${name} lies behind ${describeIommu(iommus[above.iommu]!)}: no driver expects that`;
    findings.push({ code: 'BEHIND_ANOTHER', severity: 'warning', offset, message });
  }
  return findings;
}

function shareAnyId(one: readonly EndpointRange[], other: readonly EndpointRange[]): boolean {
  return one.some((a) => other.some((b) => shareEndpointId(a, b)));
}

function holds(range: EndpointRange, iommu: Iommu): boolean {
  if (range.kind === 'mmio') return iommu.kind !== 'pci' && iommu.base === range.base;
  if (iommu.kind !== 'pci') return false;
  const inSegments = range.segmentStart <= iommu.segment && iommu.segment <= range.segmentEnd;
  return inSegments && range.bdfStart <= iommu.bdf && iommu.bdf <= range.bdfEnd;
}

function firstId(range: EndpointRange): number {
  return range.kind === 'mmio' ? range.endpoint : range.endpointStart;
}

function lastId(range: EndpointRange): number {
  if (range.kind === 'mmio') return range.endpoint;
  const segments = range.segmentEnd - range.segmentStart;
  return range.endpointStart + segments * IDS_PER_SEGMENT + (range.bdfEnd - range.bdfStart);
}
