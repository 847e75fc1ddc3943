/** What of an IOMMU's addresses is left to map. */
import type { IovaRange } from './vfio-iommu.ts';

/** The ranges from `start` to `end` without the reserved ones, which may overlap; ends inclusive, ascending. */
export function withoutReserved(
  start: number,
  end: number,
  reserved: readonly IovaRange[],
): IovaRange[] {
  const ranges: IovaRange[] = [];
  let next = start;
  for (const region of [...reserved].sort((a, b) => a.start - b.start)) {
    if (region.start > end) break;
    if (region.start > next) ranges.push({ start: next, end: region.start - 1 });
    next = Math.max(next, region.end + 1);
  }
  if (next <= end) ranges.push({ start: next, end });
  return ranges;
}
