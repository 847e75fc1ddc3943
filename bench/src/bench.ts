/** One run: measures the rows one after the other, and reports. */
import { mkdir, writeFile } from 'node:fs/promises';
import { BenchError, messageOf } from './bench-error.ts';
import type { BenchOptions } from './options.ts';
import type { Output } from './output.ts';
import { type PeerPrograms, preparePeers } from './peers/peer-programs.ts';
import { jsonReport } from './report/json.ts';
import { describeMachine } from './report/machine.ts';
import { resultsPage } from './report/results-page.ts';
import { resultTable } from './report/table.ts';
import { measureRow, type RowResult } from './result.ts';
import { ALL_ROWS } from './rows/all-rows.ts';
import type { Row } from './rows/row.ts';

const NO_PEERS: PeerPrograms = { programs: new Map(), skipped: [], versions: [] };
/** From the bundle in `dist`. */
const FOLDER = new URL('../', import.meta.url);

/** @throws BenchError, after all rows, when one of them failed: then nothing is written */
export async function runBench(options: BenchOptions, output: Output): Promise<void> {
  const rows = chooseRows(options.only);
  const peers = options.peers
    ? await preparePeers({ onProgress: (text) => output.progress(text) })
    : NO_PEERS;
  for (const reason of peers.skipped) output.progress(`skipped: ${reason}`);
  const { results, failures } = await measureAll(rows, { ...options, peers }, output);
  const machine = describeMachine(peers.versions);
  if (options.json) output.print(JSON.stringify(jsonReport(machine, results)));
  else output.print(resultTable(results));
  if (failures.length > 0) throw new BenchError(failures.join('\n'));
  if (options.write) {
    const page = resultsPage({ date: new Date(), machine, results, skipped: peers.skipped });
    await writeResults(page, results);
  }
}

/** @throws BenchError when there is none */
export function chooseRows(only: string | undefined): readonly Row[] {
  const rows = ALL_ROWS.filter(({ name }) => only === undefined || name.includes(only));
  if (rows.length === 0) throw new BenchError(`no row has "${only}" in its name`);
  return rows;
}

async function measureAll(
  rows: readonly Row[],
  options: Parameters<typeof measureRow>[1],
  output: Output,
): Promise<{ results: RowResult[]; failures: string[] }> {
  const results: RowResult[] = [];
  const failures: string[] = [];
  for (const [index, row] of rows.entries()) {
    output.progress(`${index + 1}/${rows.length} ${row.name}`);
    try {
      const result = await measureRow(row, options);
      if (result === undefined) output.progress(`skipped: ${row.name}: it needs the peers`);
      else results.push(result);
    } catch (error) {
      failures.push(`${row.name}: ${messageOf(error)}`);
    }
  }
  return { results, failures };
}

async function writeResults(page: string, results: readonly RowResult[]): Promise<void> {
  // Loaded only here: the charts are most of this program.
  const { headlineChart } = await import('./report/headline-chart.ts');
  const chart = headlineChart(results);
  await mkdir(new URL('plots/', FOLDER), { recursive: true });
  await writeFile(new URL('plots/headline.svg', FOLDER), chart);
  await writeFile(new URL('RESULTS.md', FOLDER), page);
}
