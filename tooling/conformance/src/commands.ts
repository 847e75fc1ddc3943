/** What the commands do. */
import { readFileSync } from 'node:fs';
import { check } from './check/check.ts';
import { matchRows } from './check/match-rows.ts';
import { readOutcomes } from './check/test-report.ts';
import { ConformanceError } from './conformance-error.ts';
import { SUMMARY_HEADER, summaryLines } from './document/summary.ts';
import { writeDocument } from './document/write-document.ts';
import {
  existsInProject,
  ROOT,
  readDocument,
  readRows,
  readStatements,
  writeDocumentFile,
  writeStatements,
} from './project.ts';
import { readStandard } from './standard/read-standard.ts';
import { sectionName } from './standard/statement.ts';
import { formatStatements } from './standard/statements-file.ts';

type Print = (line: string) => void;

export function extractCommand(repository: string, options: { text: boolean }, print: Print) {
  const standard = readStandard(repository);
  if (!options.text) {
    writeStatements(formatStatements(standard));
    return;
  }
  for (const section of standard.sections) {
    print(`\n## ${sectionName(section)}\n`);
    for (const { key, level, text } of section.statements) print(`- ${key} ${level}: ${text}`);
  }
}

/** Writes nothing when statements and rows do not fit. */
export function writeCommand() {
  const { commit, ...standard } = readStatements();
  const { groups, problems } = matchRows({ commit, ...standard }, readRows());
  if (problems.length > 0) throw new ConformanceError(problems.join('\n'));
  writeDocumentFile(writeDocument(commit, groups));
}

export function checkCommand(
  reports: readonly string[],
  options: { requireAll: boolean },
  print: Print,
) {
  const texts = reports.map(readReport);
  const result = check({
    standard: readStatements(),
    rows: readRows(),
    repository: {
      exists: existsInProject,
      outcomes: texts.length === 0 ? undefined : readOutcomes(texts, ROOT),
    },
    document: readDocument(),
    requireAll: options.requireAll,
  });
  for (const line of alignColumns([SUMMARY_HEADER, ...summaryLines(result.groups)])) print(line);
  for (const { place, level, words } of result.open) print(`open: ${place}: ${level}: ${words}`);
  if (texts.length > 0) print(`${result.notRun.length} rows have tests that did not run here`);
  if (result.problems.length > 0) throw new ConformanceError(result.problems.join('\n'));
}

function readReport(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new ConformanceError(`${file} cannot be read; run the tests with vitest's JSON reporter`);
  }
}

function alignColumns(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
