/** Bytes per mapping in one design for a table of mappings. */
import { ACCESS_READ } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { PAGE, physicalOf } from '../contestants/residents.ts';
import { CANDIDATES, type CandidateName } from '../rejected/candidates.ts';
import { createLayout } from './layouts.ts';
import { bytesInUse } from './memory.ts';
import type { ProbeAnswer } from './probe.ts';

/** Mappings with which the code runs warm, in another table. */
const WARM_UP = 20_000;

export async function candidateBytesPerMapping(
  design: CandidateName,
  layoutName: string,
  count: number,
): Promise<ProbeAnswer> {
  const { mapped } = createLayout(layoutName, count);
  fill(design, createLayout('stride-13', WARM_UP).mapped);
  const before = await bytesInUse();
  const table = fill(design, mapped);
  const after = await bytesInUse();
  // Used after the measurement: else it could be collected before.
  if (!table.unmap(0, PAGE - 1)) throw new BenchError('the first page could not be unmapped');
  return { value: (after - before) / count, note: '' };
}

function fill(design: CandidateName, mapped: Float64Array) {
  const table = CANDIDATES[design]();
  for (const virtStart of mapped) {
    if (!table.map(virtStart, virtStart + PAGE - 1, physicalOf(virtStart), ACCESS_READ)) {
      throw new BenchError(`${virtStart} is mapped already`);
    }
  }
  return table;
}
