/** The results for programs: one object. */
import type { Spread } from '../contest/statistics.ts';
import type { RowResult } from '../result.ts';
import type { Machine } from './machine.ts';

/** What has no value is null. */
interface JsonRow {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number | null;
  readonly unit: string;
  readonly ratio: number | null;
  readonly target: number | null;
  readonly targetOf: 'ratio' | 'value';
  readonly met: boolean | null;
  readonly runs: number;
  readonly spread: {
    readonly ours: readonly [min: number, max: number];
    readonly theirs: readonly [min: number, max: number] | null;
  };
  readonly note: string;
}

export interface JsonReport {
  readonly machine: Machine;
  readonly rows: readonly JsonRow[];
}

export function jsonReport(machine: Machine, results: readonly RowResult[]): JsonReport {
  return { machine, rows: results.map(jsonRow) };
}

function jsonRow(result: RowResult): JsonRow {
  const { ours, theirs } = result;
  return {
    name: result.name,
    ours: ours.median,
    theirs: theirs?.median ?? null,
    unit: result.unit,
    ratio: result.ratio ?? null,
    target: result.target ?? null,
    targetOf: result.targetOf,
    met: result.met ?? null,
    runs: result.runs,
    spread: { ours: extent(ours), theirs: theirs === undefined ? null : extent(theirs) },
    note: result.note,
  };
}

function extent({ min, max }: Spread): [number, number] {
  return [min, max];
}
