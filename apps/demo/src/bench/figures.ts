/** Rows of figures: medians over the rounds, their ratio, and whether it is what it should be. */

/** What is compared, and what ours divided by QEMU's own should be. */
export interface Comparison {
  readonly name: string;
  /** Of `MB/s` (millions of bytes) the more the better, of `s` the less. */
  readonly unit: 'MB/s' | 's';
  /** The least ratio that will do, or the largest for seconds; nothing is asked of a figure that is told by the way. */
  readonly target?: number;
}

/** One value for each round. */
interface Values {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** One line of the table, and one element of what `--json` prints. */
export interface Row {
  readonly name: string;
  /** Medians, of our devices and of QEMU's own. */
  readonly ours: number;
  readonly theirs: number;
  readonly unit: Comparison['unit'];
  readonly ratio: number;
  readonly target: number | null;
  readonly met: boolean | null;
  /** Rounds. */
  readonly runs: number;
  /** All values, in the order of the rounds. */
  readonly values: Values;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function makeRow({ name, unit, target }: Comparison, values: Values): Row {
  const ours = median(values.ours);
  const theirs = median(values.theirs);
  const ratio = ours / theirs;
  const isMet = target === undefined ? null : unit === 's' ? ratio <= target : ratio >= target;
  const { length: runs } = values.ours;
  return { name, ours, theirs, unit, ratio, target: target ?? null, met: isMet, runs, values };
}

const HEADINGS = ['', 'ours: median (all)', "QEMU's own: median (all)", 'ours / QEMU', 'target'];

/** One line for each row, after the headings. */
export function rowsTable(rows: readonly Row[]): string[] {
  const cells = rows.map(({ name, ours, theirs, unit, ratio, target, met, values }) => [
    name,
    spread(ours, values.ours, unit),
    spread(theirs, values.theirs, unit),
    ratio.toFixed(2),
    target === null
      ? '-'
      : `${unit === 's' ? 'at most' : 'at least'} ${target}: ${met ? 'met' : 'missed'}`,
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  );
  return [HEADINGS, ...cells].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function spread(middle: number, values: readonly number[], unit: Row['unit']): string {
  return `${digits(middle)} ${unit} (${values.map(digits).join(' ')})`;
}

function digits(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
