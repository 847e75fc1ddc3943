/** replayFile: a trace from a file, replayed on fresh devices. */
import { ReplayMachine, TraceDivergence, type TraceHeader, type TraceStep } from '@viommu/trace';
import { CommandError, messageOf } from '../command-error.ts';
import type { ServerStatistics } from '../server/server-messages.ts';
import { collectStatistics } from '../server/statistics.ts';
import { readTrace } from './read-trace.ts';

export interface ReplayResult {
  readonly title: string;
  readonly startedAt: string;
  readonly versions: TraceHeader['versions'];
  readonly functions: TraceHeader['functions'];
  readonly operations: number;
  /** What functions did, of which each was compared. */
  readonly effects: number;
  readonly registersRead: number;
  readonly interrupts: number;
  /** From the beginning to the last operation that was replayed, while it was recorded. */
  readonly seconds: number;
  /** Whether all was replayed that the recorder has seen: false for a trace that was cut off. */
  readonly isComplete: boolean;
  readonly divergence: ReplayDivergence | undefined;
  readonly statistics: ServerStatistics;
  /** Where the devices stand: as snapshots, by name of the function; none when they stopped in the middle of something. */
  readonly state: Readonly<Record<string, object>>;
}

interface ReplayDivergence {
  /** Number of the operation. */
  readonly index: number;
  readonly seconds: number;
  /** The function that was addressed. */
  readonly function: string;
  readonly operation: string;
  readonly expected: string;
  readonly actual: string;
}

const MICROSECONDS = 1e6;

/** @throws CommandError when the file cannot be read, or is no trace */
export async function replayFile(
  path: string,
  options: { readonly upto?: number } = {},
): Promise<ReplayResult> {
  const { upto = Number.POSITIVE_INFINITY } = options;
  let header: TraceHeader | undefined;
  let replay: ReplayMachine | undefined;
  let divergence: ReplayDivergence | undefined;
  let operations = 0;
  let effects = 0;
  let registersRead = 0;
  let interrupts = 0;
  let time = 0;
  const isComplete = await readTrace(path, {
    header(read) {
      header = read;
      replay = makeMachine(path, read);
    },
    step(step) {
      if (step.index >= upto) return false;
      try {
        replay!.apply(step);
      } catch (error) {
        divergence = divergenceOf(path, header!, step, error);
        return false;
      }
      operations += 1;
      effects += step.effects.length;
      if (step.operation.kind === 'readBar' || step.operation.kind === 'readConfig') {
        registersRead += 1;
      }
      for (const effect of step.effects) {
        if (effect.kind === 'msix' || (effect.kind === 'intx' && effect.asserted)) interrupts += 1;
      }
      time = step.time;
      return true;
    },
  });
  const { title, startedAt, versions, functions } = header!;
  return {
    title,
    startedAt,
    versions,
    functions,
    operations,
    effects,
    registersRead,
    interrupts,
    seconds: time / MICROSECONDS,
    isComplete,
    divergence,
    statistics: collectStatistics(replay!.machine, []),
    state: divergence === undefined ? snapshotsOf(replay!) : {},
  };
}

function makeMachine(path: string, header: TraceHeader): ReplayMachine {
  try {
    return new ReplayMachine(header);
  } catch (error) {
    throw new CommandError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

function divergenceOf(
  path: string,
  { functions }: TraceHeader,
  { index, time, operation }: TraceStep,
  error: unknown,
): ReplayDivergence {
  if (!(error instanceof TraceDivergence)) {
    throw new CommandError(`${path}: operation ${index}: ${messageOf(error)}`, { cause: error });
  }
  const name = 'function' in operation ? functions[operation.function]?.name : undefined;
  return {
    index,
    seconds: time / MICROSECONDS,
    function: name ?? '',
    operation: operation.kind,
    expected: error.expected,
    actual: error.actual,
  };
}

function snapshotsOf({ machine }: ReplayMachine): Record<string, object> {
  const snapshots = machine.functions.map(({ name, function: one }) => [name, one.snapshot?.()]);
  return Object.fromEntries(snapshots.filter(([, snapshot]) => snapshot !== undefined));
}
