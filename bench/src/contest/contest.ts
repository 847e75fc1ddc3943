/** A contest: the contestants run by turns, so that both meet the same weather; what counts is the ratio of the medians. */
import { type CalibrationOptions, calibrate } from './calibrate.ts';
import type { Contestant, ContestantCommand } from './contestant.ts';
import { startContestant } from './contestant-process.ts';
import { type Spread, spreadOf } from './statistics.ts';

export interface ContestOptions extends CalibrationOptions {
  /** Batches of each contestant. */
  readonly batches: number;
}

/**
 * Starts each contestant in a fresh process, so that no other work has shaped what the JIT compiler made of it, and times
 * them by turns; every second round in reverse order.
 *
 * @returns nanoseconds per operation, in the order of the commands
 * @throws BenchError that names the contestant that failed
 */
export async function holdContest(
  commands: readonly ContestantCommand[],
  options: ContestOptions,
): Promise<Spread[]> {
  const contestants: Contestant[] = [];
  try {
    for (const command of commands) contestants.push(await startContestant(command));
    const spreads = await timeByTurns(contestants, options);
    // Contestants check at the end that they did what they timed.
    for (const contestant of contestants) await contestant.close();
    return spreads;
  } catch (error) {
    for (const contestant of contestants) contestant.kill();
    throw error;
  }
}

/** @returns nanoseconds per operation, in the order of the contestants */
export async function timeByTurns(
  contestants: readonly Pick<Contestant, 'run'>[],
  options: ContestOptions,
): Promise<Spread[]> {
  const sides: { contestant: Pick<Contestant, 'run'>; operations: number; batches: number[] }[] =
    [];
  for (const contestant of contestants) {
    sides.push({ contestant, operations: await calibrate(contestant, options), batches: [] });
  }
  for (let batch = 0; batch < options.batches; batch += 1) {
    for (const side of batch % 2 === 0 ? sides : sides.toReversed()) {
      side.batches.push((await side.contestant.run(side.operations)) / side.operations);
    }
  }
  return sides.map(({ batches }) => spreadOf(batches));
}
