/** The result of one row, and how a row is measured. */
import { type ContestOptions, holdContest } from './contest/contest.ts';
import type { ContestantCommand } from './contest/contestant.ts';
import type { Spread } from './contest/statistics.ts';
import { oursCommand } from './ours-command.ts';
import type { PeerPrograms } from './peers/peer-programs.ts';
import type { ContestRow, Row, ServedRow, ValueRow } from './rows/row.ts';
import { type Serving, serveOurs, servePeer } from './serving/serving.ts';

export interface RowResult {
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  /** Undefined where there is nobody to compare with, or the peer was not built. */
  readonly theirs: Spread | undefined;
  /** Ours to theirs, of the medians. */
  readonly ratio: number | undefined;
  /** Of the ratio in a contest, of the value in other rows. */
  readonly target: number | undefined;
  readonly targetOf: 'ratio' | 'value';
  readonly met: boolean | undefined;
  /** Batches of each side, or measurements. */
  readonly runs: number;
  readonly note: string;
}

export interface MeasureOptions {
  readonly quick: boolean;
  /** Batches of each contestant. */
  readonly batches: number;
  readonly peers: PeerPrograms;
}

/**
 * @returns undefined when the peers that the row cannot do without are not built
 * @throws BenchError that names the contestant, the server or the probe that failed
 */
export function measureRow(row: Row, options: MeasureOptions): Promise<RowResult | undefined> {
  switch (row.kind) {
    case 'contest':
      return measureContest(row, options);
    case 'served':
      return measureServed(row, options);
    case 'value':
      return measureValue(row, options);
  }
}

async function measureContest(row: ContestRow, options: MeasureOptions): Promise<RowResult> {
  const theirs = theirCommand(row, options.peers);
  const commands = [oursCommand(row.work), ...(theirs === undefined ? [] : [theirs])];
  const spreads = await holdContest(commands, contestOptions(row, options));
  return contestResult(row, spreads[0]!, spreads[1], options.batches);
}

async function measureServed(
  row: ServedRow,
  options: MeasureOptions,
): Promise<RowResult | undefined> {
  const client = options.peers.programs.get(row.client);
  const server = options.peers.programs.get(row.theirs);
  if (client === undefined || server === undefined) return undefined;
  const servings: Serving[] = [];
  try {
    servings.push(await serveOurs(), await servePeer(server));
    const commands = servings.map(({ socket }, index) => ({
      name: index === 0 ? 'the client of ours' : `the client of ${row.theirs}`,
      program: client,
      work: [...row.work, `socket=${socket}`],
    }));
    const [ours, theirs] = await holdContest(commands, contestOptions(row, options));
    return contestResult(row, ours!, theirs, options.batches);
  } finally {
    for (const serving of servings) await serving.stop();
  }
}

export function contestResult(
  { name, unit, target }: Pick<ContestRow, 'name' | 'unit' | 'target'>,
  ours: Spread,
  theirs: Spread | undefined,
  runs: number,
): RowResult {
  const ratio = theirs === undefined ? undefined : ours.median / theirs.median;
  const met = ratio === undefined || target === undefined ? undefined : ratio <= target;
  return { name, unit, ours, theirs, ratio, target, targetOf: 'ratio', met, runs, note: '' };
}

async function measureValue(row: ValueRow, { quick }: MeasureOptions): Promise<RowResult> {
  const { value, theirs, note, runs } = await row.measure({ quick });
  const { target } = row;
  return {
    name: row.name,
    unit: row.unit,
    ours: constant(value),
    theirs: theirs === undefined ? undefined : constant(theirs),
    ratio: theirs === undefined ? undefined : value / theirs,
    target,
    targetOf: 'value',
    met: target === undefined ? undefined : value <= (row.metUpTo ?? target),
    runs,
    note,
  };
}

function constant(value: number): Spread {
  return { median: value, min: value, max: value };
}

function contestOptions(
  { multiple }: ContestRow | ServedRow,
  options: MeasureOptions,
): ContestOptions {
  return {
    multiple,
    batches: options.batches,
    batchMilliseconds: options.quick ? 2 : 30,
    warmUpMilliseconds: options.quick ? 10 : 300,
  };
}

/** Undefined when nobody does the same work here. */
function theirCommand(row: ContestRow, { programs }: PeerPrograms): ContestantCommand | undefined {
  const { theirs, work } = row;
  if (theirs === undefined) return undefined;
  if (typeof theirs !== 'string') return oursCommand(theirs);
  const program = programs.get(theirs);
  return program && { name: theirs, program, work };
}
