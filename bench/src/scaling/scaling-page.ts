/** SCALING.md: a table and a plot of each scan, and what we have to say about them. */
import { figure } from '../report/cells.ts';
import { type Machine, machineLines } from '../report/machine.ts';
import { REMARKS } from './remarks.ts';
import type { ScanResult } from './scan.ts';

export interface ScalingPageOptions {
  readonly date: Date;
  readonly machine: Machine;
  readonly batches: number;
  readonly results: readonly ScanResult[];
}

export function scalingPage({ date, machine, batches, results }: ScalingPageOptions): string {
  const lines = [
    '# Cost against size',
    '',
    '`pnpm bench --scaling --write` writes this page, but for the sentences under the plots. Times are in nanoseconds per',
    `operation, the least of ${batches} short batches, since other programs on the machine can only add to them; all sizes of a line`,
    'take turns. A step of less than a third from one size to the next says nothing. Both axes of a plot are logarithmic.',
    '',
    ...machineLines(date, machine),
    ...results.flatMap((result) => [
      '',
      `## ${result.title}`,
      '',
      `![${result.title}](plots/scaling-${result.name}.svg)`,
      '',
      ...(REMARKS[result.name] ?? []),
      '',
      ...scanTable(result),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** A row per size, a column per line of the plot. */
export function scanTable({ size, unit, sizes, series }: ScanResult): string[] {
  return [
    tableRow([size, ...series.map(({ name }) => `${name}, ${unit}`)]),
    tableRow(['---:', ...series.map(() => '---:')]),
    ...sizes.map((value, index) =>
      tableRow([
        value.toLocaleString('en-GB'),
        ...series.map(({ costs }) => figure(costs[index]!.min)),
      ]),
    ),
  ];
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
