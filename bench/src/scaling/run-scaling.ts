/** One run of the scans: measures them one after the other, and reports. */
import { mkdir, writeFile } from 'node:fs/promises';
import { BenchError } from '../bench-error.ts';
import type { BenchOptions } from '../options.ts';
import type { Output } from '../output.ts';
import { describeMachine } from '../report/machine.ts';
import { measureScan, scanBatches } from './measure-scan.ts';
import { scalingPage, scanTable } from './scaling-page.ts';
import type { ScanResult } from './scan.ts';
import { SCANS } from './scans.ts';

/** From the bundle in `dist`. */
const FOLDER = new URL('../', import.meta.url);

/** @throws BenchError when a scan failed: then nothing is written */
export async function runScaling(options: BenchOptions, output: Output): Promise<void> {
  const { only } = options;
  const scans = SCANS.filter(({ name }) => only === undefined || name.includes(only));
  if (scans.length === 0) throw new BenchError(`no scan has "${only}" in its name`);
  const results: ScanResult[] = [];
  for (const [index, scan] of scans.entries()) {
    output.progress(`${index + 1}/${scans.length} ${scan.name}`);
    const result = await measureScan(scan, options);
    results.push(result);
    if (!options.json) output.print(`${scan.title}\n${scanTable(result).join('\n')}\n`);
  }
  const machine = describeMachine([]);
  if (options.json) output.print(JSON.stringify({ machine, scans: results }));
  if (options.write) {
    const batches = scanBatches(options);
    await writePage(scalingPage({ date: new Date(), machine, batches, results }), results);
  }
}

async function writePage(page: string, results: readonly ScanResult[]): Promise<void> {
  // Loaded only here: the charts are most of this program.
  const { scalingChart } = await import('./scaling-chart.ts');
  await mkdir(new URL('plots/', FOLDER), { recursive: true });
  for (const result of results) {
    await writeFile(new URL(`plots/scaling-${result.name}.svg`, FOLDER), scalingChart(result));
  }
  await writeFile(new URL('SCALING.md', FOLDER), page);
}
