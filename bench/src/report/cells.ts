/** The results as text: one list of cells for each row, for the table on the terminal and the one in the file. */
import type { Spread } from '../contest/statistics.ts';
import type { RowResult } from '../result.ts';

export const HEADINGS = [
  'row',
  'ours',
  'theirs',
  'unit',
  'ratio',
  'target',
  'met',
  'spread of ours',
  'spread of theirs',
  'runs',
] as const;

/** Three digits that count, and no exponent. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

export function cellsOf(result: RowResult): string[] {
  const { theirs, ratio, target, met, note } = result;
  return [
    note === '' ? result.name : `${result.name} (${note})`,
    figure(result.ours.median),
    theirs === undefined ? '-' : figure(theirs.median),
    result.unit,
    ratio === undefined ? '-' : figure(ratio),
    target === undefined ? '-' : `≤ ${target}`,
    met === undefined ? '-' : met ? 'yes' : 'no',
    spread(result.ours),
    spread(theirs),
    `${result.runs}`,
  ];
}

function spread(side: Spread | undefined): string {
  if (side === undefined || side.min === side.max) return '-';
  return `${figure(side.min)} .. ${figure(side.max)}`;
}
