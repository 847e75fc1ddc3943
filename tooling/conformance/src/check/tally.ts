/** Counts statements by what became of them. */
import type { Exception } from '../rows/row.ts';
import { isMust } from '../standard/statement.ts';
import type { MatchedSection } from './match-rows.ts';

type Fate = 'covered' | Exception | 'without row';
export type Counts = Readonly<Record<Fate, number>>;

export interface Tally {
  readonly must: Counts;
  readonly should: Counts;
}

export function tallyOf(sections: readonly MatchedSection[]): Tally {
  const must = noCounts();
  const should = noCounts();
  for (const { rows, rest } of sections) {
    for (const { statement, row } of rows) {
      const exception = row === undefined ? rest : row.exception;
      const fate = exception?.kind ?? (row === undefined ? 'without row' : 'covered');
      (isMust(statement.level) ? must : should)[fate] += 1;
    }
  }
  return { must, should };
}

/** What neither an optional feature nor another reason leaves out. */
export function applicable(counts: Counts): number {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return total - counts['not offered'] - counts['does not apply'];
}

function noCounts(): Record<Fate, number> {
  return {
    covered: 0,
    'not offered': 0,
    'does not apply': 0,
    'not followed': 0,
    open: 0,
    'without row': 0,
  };
}
