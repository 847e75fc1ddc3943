/** Calibrating: warms a contestant up, and finds how many operations make a batch long enough to time. */
import type { Contestant } from './contestant.ts';

export interface CalibrationOptions {
  /** How long a batch shall take by the contestant's clock. */
  readonly batchMilliseconds: number;
  /** How long it runs before it is measured, by the contestant's clock. */
  readonly warmUpMilliseconds: number;
  /** Operations come in multiples of this: requests per queue, mappings per set-up. */
  readonly multiple: number;
}

/** A batch with its untimed part may take so many times as long as its timed one. */
const WALL_FACTOR = 8;
/** Steps are bounded: what ran cold says little about what comes. */
const GROWTH_MAX = 8;

/** One run that was made to calibrate. */
export interface CalibrationRun {
  readonly operations: number;
  readonly milliseconds: number;
  /** With what the contestant does not count, such as refilling. */
  readonly wallMilliseconds: number;
}

/** Operations with which a run would take as long as a batch shall, as far as this run can tell. */
export function nextOperations(
  run: CalibrationRun,
  { batchMilliseconds, multiple }: CalibrationOptions,
): number {
  const byClock = batchMilliseconds / Math.max(run.milliseconds, 1e-6);
  const byWall = (WALL_FACTOR * batchMilliseconds) / Math.max(run.wallMilliseconds, 1e-6);
  const growth = Math.min(byClock, byWall, GROWTH_MAX);
  return Math.max(1, Math.round((run.operations * growth) / multiple)) * multiple;
}

/** Whether the contestant has run long enough, and the last run was about a batch. */
export function isCalibrated(
  run: CalibrationRun,
  warm: { readonly milliseconds: number; readonly wallMilliseconds: number },
  options: CalibrationOptions,
): boolean {
  const { warmUpMilliseconds } = options;
  const isWarm =
    warm.milliseconds >= warmUpMilliseconds ||
    warm.wallMilliseconds >= WALL_FACTOR * warmUpMilliseconds;
  const next = nextOperations(run, options);
  return isWarm && next < 2 * run.operations;
}

/** @returns operations per batch */
export async function calibrate(
  contestant: Pick<Contestant, 'run'>,
  options: CalibrationOptions,
): Promise<number> {
  const warm = { milliseconds: 0, wallMilliseconds: 0 };
  let operations = options.multiple;
  for (;;) {
    const start = performance.now();
    const milliseconds = (await contestant.run(operations)) / 1e6;
    const wallMilliseconds = performance.now() - start;
    warm.milliseconds += milliseconds;
    warm.wallMilliseconds += wallMilliseconds;
    const run = { operations, milliseconds, wallMilliseconds };
    operations = nextOperations(run, options);
    if (isCalibrated(run, warm, options)) return operations;
  }
}
