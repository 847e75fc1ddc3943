/** RESULTS.md: what was measured, when and on what. */
import type { RowResult } from '../result.ts';
import { cellsOf, HEADINGS } from './cells.ts';
import { type Machine, machineLines } from './machine.ts';

export interface ResultsPageOptions {
  readonly date: Date;
  readonly machine: Machine;
  readonly results: readonly RowResult[];
  /** Why peers are missing, one line each. */
  readonly skipped: readonly string[];
}

export function resultsPage({ date, machine, results, skipped }: ResultsPageOptions): string {
  const judged = results.filter(({ met }) => met !== undefined);
  const met = judged.filter((result) => result.met);
  const lines = [
    '# Results',
    '',
    '`pnpm bench --peers --write` writes this page. Times are medians over the runs, in which both sides took turns; a ratio is',
    'ours to theirs. Spreads are the least and the greatest of the runs.',
    '',
    ...machineLines(date, machine),
    ...skipped.map((reason) => `* not measured: ${reason}`),
    '',
    `${met.length} of ${judged.length} targets are met.`,
    '',
    '![Ratios of ours to theirs, with their targets](plots/headline.svg)',
    '',
    tableRow(HEADINGS),
    tableRow(HEADINGS.map((heading) => (heading === 'row' || heading === 'unit' ? '---' : '---:'))),
    ...results.map((result) => tableRow(cellsOf(result))),
  ];
  return `${lines.join('\n')}\n`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
