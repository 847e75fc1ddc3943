/** Bytes that a work allocates per operation in steady state: how much the heap has grown while no garbage was collected. */
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { BenchError } from '../bench-error.ts';
import type { Work } from '../contestants/work.ts';
import { collectGarbage, type ProbeAnswer } from './probe.ts';

/** Operations that are measured in one go. */
const SLICE = 131_072;
const WARM_UP_OPERATIONS = 2_000_000;
/** After a collection code is compiled anew, which takes some slices, and is no garbage of an operation. */
const SETTLING_SLICES = 4;
/** Bytes after which garbage is collected between two slices: well below the size of the young generation. */
const ROOM = 64 << 20;
/** Bytes that the control allocates per operation, at least: an array with two elements is not smaller. */
const CONTROL_BYTES = 16;

/** @param operations in all, at least one slice */
export async function allocatedPerOperation(work: Work, operations: number): Promise<ProbeAnswer> {
  for (let done = 0; done < Math.min(WARM_UP_OPERATIONS, 2 * operations); done += SLICE) {
    work.run(SLICE);
  }
  const control = await growthOf(1, allocate);
  if (control < CONTROL_BYTES * SLICE) {
    throw new BenchError(`${SLICE} arrays were seen as ${control} bytes: growth is not seen here`);
  }
  const slices = Math.max(1, Math.round(operations / SLICE));
  const growth = await growthOf(slices, () => work.run(SLICE));
  return { value: Math.round((100 * growth) / (slices * SLICE)) / 100, note: '' };
}

/**
 * How many bytes the heap grows in some slices.
 *
 * @throws BenchError when garbage was collected within one of them
 */
async function growthOf(slices: number, slice: () => unknown): Promise<number> {
  const collections: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) collections.push(startTime);
  });
  observer.observe({ entryTypes: ['gc'] });
  const spans: { from: number; to: number }[] = [];
  let sum = 0;
  let sinceCollection = Number.POSITIVE_INFINITY;
  for (let index = -SETTLING_SLICES; index < slices; index += 1) {
    if (sinceCollection > ROOM) {
      await collectGarbage();
      sinceCollection = 0;
    }
    const from = performance.now();
    const before = process.memoryUsage().heapUsed;
    slice();
    const growth = process.memoryUsage().heapUsed - before;
    spans.push({ from, to: performance.now() });
    sinceCollection += growth;
    if (index >= 0) sum += growth;
  }
  // Entries are handed out later, by a task of their own.
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  const inside = collections.filter((at) => spans.some(({ from, to }) => from <= at && at <= to));
  if (collections.length === 0) throw new BenchError('collections of garbage are not seen here');
  if (inside.length > 0) throw new BenchError(`garbage was collected ${inside.length} times`);
  return sum;
}

let kept: readonly number[] = [];

function allocate(): void {
  for (let index = 0; index < SLICE; index += 1) kept = [index, kept.length];
}
