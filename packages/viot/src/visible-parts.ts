/** visibleParts: what is left of ranges of PCI functions that overlap, when of two that have a function the later one counts. */

export interface FunctionRange {
  readonly bdfStart: number;
  /** Inclusive. */
  readonly bdfEnd: number;
  /** Endpoint ID of the first function; those of the others go on from there. */
  readonly endpointStart: number;
}

/** Of each range the parts that no later one has, in no order. A range may come back in several parts that go on. */
export function visibleParts<Range extends FunctionRange>(ranges: readonly Range[]): Range[] {
  const bounds = ranges.flatMap(({ bdfStart, bdfEnd }) => [bdfStart, bdfEnd + 1]);
  const starts = [...new Set(bounds)].sort((a, b) => a - b);
  const places = new Map(starts.map((start, place) => [start, place]));
  // Between neighbouring bounds is one part, which goes to the last range that has it. Places that are taken are skipped.
  const nextFree = starts.map((_, place) => place);
  const parts: Range[] = [];
  for (const range of ranges.toReversed()) {
    const end = places.get(range.bdfEnd + 1)!;
    let place = free(nextFree, places.get(range.bdfStart)!);
    while (place < end) {
      parts.push(...part(range, starts[place]!, starts[place + 1]! - 1));
      nextFree[place] = place + 1;
      place = free(nextFree, place + 1);
    }
  }
  return parts;
}

/** The first place from the given one on that is not taken; what was walked over is shortened for the next walk. */
function free(nextFree: number[], from: number): number {
  let place = from;
  while (nextFree[place] !== place) {
    nextFree[place] = nextFree[nextFree[place]!]!;
    place = nextFree[place]!;
  }
  return place;
}

/** What of a range lies between two BDFs, both inclusive: one range, or none. */
export function part<Range extends FunctionRange>(
  range: Range,
  start: number,
  end: number,
): Range[] {
  const bdfStart = Math.max(range.bdfStart, start);
  const bdfEnd = Math.min(range.bdfEnd, end);
  if (bdfStart > bdfEnd) return [];
  const endpointStart = range.endpointStart + (bdfStart - range.bdfStart);
  return [{ ...range, bdfStart, bdfEnd, endpointStart }];
}
