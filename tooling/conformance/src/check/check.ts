/** The whole check, without the file system: statements, rows, reports and the document in; findings out. */
import { writeDocument } from '../document/write-document.ts';
import type { Row, RowGroup } from '../rows/row.ts';
import type { Standard } from '../standard/statement.ts';
import { checkFacts, type Repository } from './check-facts.ts';
import { type MatchedGroup, matchRows } from './match-rows.ts';

export interface CheckInput {
  readonly standard: Standard;
  readonly rows: readonly RowGroup[];
  readonly repository: Repository;
  /** The text of the document as it is. */
  readonly document: string;
  /** Whether a test that was skipped is a problem. */
  readonly requireAll: boolean;
}

export interface CheckResult {
  readonly groups: readonly MatchedGroup[];
  /** One line each; none when all is well. */
  readonly problems: readonly string[];
  /** Rows with tests that did not run on this machine. */
  readonly notRun: readonly Row[];
  readonly open: readonly Row[];
}

export function check(input: CheckInput): CheckResult {
  const { standard, rows, repository, document, requireAll } = input;
  const { groups, problems } = matchRows(standard, rows);
  const all = rows.flatMap(({ sections }) => sections).flatMap((section) => section.rows);
  const facts = checkFacts(all, repository);
  const stale = writeDocument(standard.commit, groups) !== document;
  return {
    groups,
    problems: [
      ...problems,
      ...facts.problems,
      ...(requireAll ? facts.notRun.map(({ place }) => `${place}: not all of its tests ran`) : []),
      ...(stale
        ? ['docs/spec-coverage.md is stale: node tooling/conformance/dist/main.js write']
        : []),
    ],
    notRun: facts.notRun,
    open: all.filter(({ exception }) => exception?.kind === 'open'),
  };
}
