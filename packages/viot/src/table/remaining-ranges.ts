/** What of an endpoint range later ranges leave of it, whole segments at a time. */
import { type EndpointRange, IDS_PER_SEGMENT, type PciEndpointRange } from '../topology.ts';
import { shareDevice } from '../topology-check.ts';

/** Segments and BDFs, ends inclusive. */
interface Box {
  readonly segments: readonly [number, number];
  readonly bdfs: readonly [number, number];
}

/** Of each range the parts that no later one has, with the endpoint IDs they have; none for a range that is empty. */
export function remainingRanges(ranges: readonly EndpointRange[]): EndpointRange[][] {
  const empty = ranges.map(isEmpty);
  return ranges.map((range, index) => {
    if (empty[index]) return [];
    let left: EndpointRange[] = [range];
    for (let later = index + 1; later < ranges.length; later++) {
      const other = ranges[later]!;
      if (!empty[later] && shareDevice(range, other))
        left = left.flatMap((part) => cut(part, other));
    }
    return left;
  });
}

/** Whether a range ends before it starts. */
export function isEmpty(range: EndpointRange): boolean {
  return (
    range.kind === 'pci' && (range.segmentEnd < range.segmentStart || range.bdfEnd < range.bdfStart)
  );
}

/** What a range has and the other, of the same kind, has not. */
function cut(range: EndpointRange, other: EndpointRange): EndpointRange[] {
  if (range.kind === 'mmio' || other.kind === 'mmio') return [];
  return without(boxOf(range), boxOf(other)).map((box) => partOf(range, box));
}

function boxOf(range: PciEndpointRange): Box {
  return {
    segments: [range.segmentStart, range.segmentEnd],
    bdfs: [range.bdfStart, range.bdfEnd],
  };
}

function partOf(range: PciEndpointRange, { segments, bdfs }: Box): PciEndpointRange {
  const [segmentStart, segmentEnd] = segments;
  const [bdfStart, bdfEnd] = bdfs;
  const ahead = (segmentStart - range.segmentStart) * IDS_PER_SEGMENT + bdfStart - range.bdfStart;
  const endpointStart = range.endpointStart + ahead;
  return { ...range, segmentStart, segmentEnd, bdfStart, bdfEnd, endpointStart };
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
