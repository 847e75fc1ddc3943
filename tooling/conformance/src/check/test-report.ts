/** Reads vitest's JSON reports: which tests there were, and how each ended. */
import { isAbsolute, relative } from 'node:path';
import { ConformanceError } from '../conformance-error.ts';

type Outcome = 'passed' | 'failed' | 'skipped';

/** From "file > group > title" to how it ended. */
export type TestOutcomes = ReadonlyMap<string, Outcome>;

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/**
 * @param reports the text of each
 * @param root what the names of files are relative to
 * @throws ConformanceError when one is no report of vitest's
 */
export function readOutcomes(reports: readonly string[], root: string): TestOutcomes {
  const outcomes = new Map<string, Outcome>();
  for (const text of reports) {
    for (const { name, assertionResults } of parseReport(text).testResults) {
      const file = isAbsolute(name) ? relative(root, name) : name;
      for (const { ancestorTitles, title, status } of assertionResults) {
        const test = [file, ...ancestorTitles, title].join(' > ');
        outcomes.set(test, worse(outcomes.get(test), outcomeOf(status)));
      }
    }
  }
  return outcomes;
}

function parseReport(text: string): VitestReport {
  try {
    const report = JSON.parse(text);
    if (Array.isArray(report.testResults)) return report;
  } catch {}
  throw new ConformanceError('a report is not the JSON that vitest writes');
}

function outcomeOf(status: string): Outcome {
  return status === 'passed' || status === 'failed' ? status : 'skipped';
}

/** Two tests of one name count as the one that ended worse. */
function worse(first: Outcome | undefined, second: Outcome): Outcome {
  if (first === 'failed' || second === 'failed') return 'failed';
  return first === 'skipped' || second === 'skipped' ? 'skipped' : 'passed';
}
