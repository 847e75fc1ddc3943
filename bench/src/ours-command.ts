/** How our contestant is started. */
import type { ContestantCommand } from './contest/contestant.ts';
import { programPath } from './program-path.ts';

/** @param work WORK key=value ... */
export function oursCommand(work: readonly string[]): ContestantCommand {
  return {
    name: 'ours',
    program: [process.execPath, '--enable-source-maps', programPath('contestant')],
    work,
  };
}
