/** The figures of a benchmark: medians over the rounds, and their ratio. */

/** Millions of bytes per second, one value per round; `blockSize` in bytes. */
export interface Figures {
  readonly blockSize: number;
  readonly ours: readonly number[];
  readonly qemu: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const HEADINGS = [
  'O_DIRECT reads of',
  'ours: median (all)',
  "QEMU's own: median (all)",
  'ours / QEMU',
];

/** One line for each block size. */
export function figuresTable(figures: readonly Figures[]): string[] {
  const rows = figures.map(({ blockSize, ours, qemu }) => [
    `${blockSize / 1024} KiB`,
    spread(ours),
    spread(qemu),
    (median(ours) / median(qemu)).toFixed(2),
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]!.length)),
  );
  return [HEADINGS, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function spread(values: readonly number[]): string {
  return `${rate(median(values))} MB/s (${values.map(rate).join(' ')})`;
}

function rate(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}
