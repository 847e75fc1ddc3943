/** The table on the terminal, which has no room for spreads. */
import Table from 'cli-table3';
import pico from 'picocolors';
import type { RowResult } from '../result.ts';
import { cellsOf, HEADINGS } from './cells.ts';

const MET = HEADINGS.indexOf('met');
const COLUMNS = HEADINGS.slice(0, MET + 1);
const LEFT = new Set<string>(['row', 'unit']);

/** @param colour whether to use it; what the terminal and NO_COLOR say by default */
export function resultTable(results: readonly RowResult[], colour = pico.isColorSupported): string {
  const { bold, green, red } = pico.createColors(colour);
  const table = new Table({
    head: COLUMNS.map((heading) => bold(heading)),
    colAligns: COLUMNS.map((heading) => (LEFT.has(heading) ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const result of results) {
    const cells = cellsOf(result).slice(0, COLUMNS.length);
    if (result.met !== undefined) cells[MET] = (result.met ? green : red)(cells[MET]!);
    table.push(cells);
  }
  return table.toString();
}
