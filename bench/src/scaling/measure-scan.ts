/** Measures a scan: all sizes of a line take turns, so that what else the machine does bends none of them. */
import { holdContest } from '../contest/contest.ts';
import type { Spread } from '../contest/statistics.ts';
import { oursCommand } from '../ours-command.ts';
import { runProbe } from '../rows/run-probe.ts';
import type { Scan, ScanResult, Series } from './scan.ts';

export interface ScanOptions {
  /** The smallest sizes only, and short batches. */
  readonly quick: boolean;
  readonly batches: number;
}

const QUICK_SIZES = 3;
/** Short batches, and many: the least of them is one in which no other program had the core. */
const BATCHES_FACTOR = 4;
const BATCH_MILLISECONDS = 4;

/** Of each size. */
export function scanBatches({ quick, batches }: ScanOptions): number {
  return quick ? batches : BATCHES_FACTOR * batches;
}

/** @throws BenchError that names the contestant or the probe that failed */
export async function measureScan(scan: Scan, options: ScanOptions): Promise<ScanResult> {
  const sizes = options.quick ? scan.sizes.slice(0, QUICK_SIZES) : scan.sizes;
  const series = [];
  for (const line of scan.series) {
    series.push({ name: line.name, costs: await measureSeries(line, sizes, options) });
  }
  const { name, title, size, unit } = scan;
  return { name, title, size, unit, sizes, series };
}

async function measureSeries(
  series: Series,
  sizes: readonly number[],
  { quick, batches }: ScanOptions,
): Promise<Spread[]> {
  if (series.measure === 'time') {
    return holdContest(
      sizes.map((size) => oursCommand(series.words(size))),
      {
        batches: scanBatches({ quick, batches }),
        multiple: series.multiple ?? 1,
        batchMilliseconds: quick ? 2 : BATCH_MILLISECONDS,
        warmUpMilliseconds: quick ? 10 : 200,
      },
    );
  }
  const costs: Spread[] = [];
  for (const size of sizes) {
    const { value } = await runProbe(series.words(size));
    costs.push({ median: value, min: value, max: value });
  }
  return costs;
}
