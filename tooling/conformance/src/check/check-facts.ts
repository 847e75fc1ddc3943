/** Checks what rows claim: their files exist, and their tests ran and passed. */
import type { Row } from '../rows/row.ts';
import type { TestOutcomes } from './test-report.ts';

export interface Repository {
  readonly exists: (file: string) => boolean;
  /** None without a run: then tests are not looked for. */
  readonly outcomes: TestOutcomes | undefined;
}

export interface Facts {
  /** One line each. */
  readonly problems: readonly string[];
  /** Rows with a test that was skipped, or that belongs to a guest which did not run here. */
  readonly notRun: readonly Row[];
}

type Finding = 'passed' | 'not run' | { readonly problem: string };

export function checkFacts(rows: readonly Row[], repository: Repository): Facts {
  const problems: string[] = [];
  const notRun: Row[] = [];
  for (const row of rows) {
    for (const file of row.files) {
      if (!repository.exists(file)) problems.push(`${row.place}: there is no file ${file}`);
    }
    const findings = row.tests.map((test) => findTest(test, repository));
    for (const finding of findings) {
      if (typeof finding === 'object') problems.push(`${row.place}: ${finding.problem}`);
    }
    if (findings.includes('not run')) notRun.push(row);
  }
  return { problems, notRun };
}

function findTest(test: string, { exists, outcomes }: Repository): Finding {
  const file = test.slice(0, test.indexOf(' > '));
  if (!exists(file)) return { problem: `there is no file of tests ${file}` };
  if (outcomes === undefined) return 'not run';
  const found = outcomesOf(test, outcomes);
  if (found.includes('failed')) return { problem: `the test failed: ${test}` };
  if (found.includes('passed')) return 'passed';
  if (found.includes('skipped')) return 'not run';
  const isKnown = [...outcomes.keys()].some((name) => name.startsWith(`${file} > `));
  if (!isKnown && file.endsWith('.guest.test.ts')) return 'not run';
  return { problem: `no such test: ${test}` };
}

function outcomesOf(test: string, outcomes: TestOutcomes) {
  if (!test.endsWith(' > *')) return [outcomes.get(test)];
  const group = test.slice(0, -1);
  return [...outcomes].filter(([name]) => name.startsWith(group)).map(([, outcome]) => outcome);
}
