/** Reads a file of `rows/`: Markdown of one fixed shape, in which every line must be understood. */
import { ConformanceError } from '../conformance-error.ts';
import type { Level, Side } from '../standard/statement.ts';
import type { Exception, Row, RowGroup, RowSection } from './row.ts';

const TITLE = /^# (.+)$/;
const SECTION = /^## (device|driver): (.+)$/;
const ROW = /^- ([0-9a-f]{8}) (MUST NOT|MUST|SHOULD NOT|SHOULD): (.+)$/;
const REST = /^- all: (not offered|does not apply): (.+)$/;
const FACT = /^ {2}- (file|test|not offered|does not apply|not followed|open): (.+)$/;

type Changeable<T> = { -readonly [K in keyof T]: T[K] };
type OpenRow = Changeable<Omit<Row, 'files' | 'tests'>> & { files: string[]; tests: string[] };
type OpenSection = Changeable<Omit<RowSection, 'rows'>> & { rows: OpenRow[] };

/**
 * @param file its name, for messages
 * @throws ConformanceError with file and line when a line has another shape, or a row does not say enough
 */
export function parseRows(file: string, text: string): RowGroup {
  let title: string | undefined;
  const sections: OpenSection[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const place = `${file}:${index + 1}`;
    const section = sections.at(-1);
    const row = section?.rows.at(-1);
    const titleLine = title === undefined ? TITLE.exec(line) : null;
    const sectionLine = title === undefined ? null : SECTION.exec(line);
    const restLine = REST.exec(line);
    const rowLine = ROW.exec(line);
    const factLine = FACT.exec(line);
    if (titleLine !== null) {
      title = titleLine[1]!;
    } else if (sectionLine !== null) {
      const [, side, label] = sectionLine as unknown as [string, Side, string];
      sections.push({ side, label, rows: [], rest: undefined, place });
    } else if (section !== undefined && restLine !== null) {
      const [, kind, reason] = restLine as unknown as [string, Exception, string];
      section.rest = { kind, reason };
    } else if (section !== undefined && rowLine !== null) {
      const [, key, level, words] = rowLine as unknown as [string, string, Level, string];
      section.rows.push({ key, level, words, files: [], tests: [], exception: undefined, place });
    } else if (row !== undefined && factLine !== null) {
      const [, kind, value] = factLine as unknown as [string, 'file' | 'test' | Exception, string];
      addFact(row, kind, value, place);
    } else {
      throw new ConformanceError(`${place}: not a heading, a row or a fact of a row: ${line}`);
    }
  }
  if (title === undefined) throw new ConformanceError(`${file}: no title`);
  for (const row of sections.flatMap(({ rows }) => rows)) requireEnough(row);
  return { title, sections };
}

function addFact(row: OpenRow, kind: 'file' | 'test' | Exception, value: string, place: string) {
  if (kind === 'file') row.files.push(value);
  else if (kind === 'test') row.tests.push(value);
  else if (row.exception !== undefined) {
    throw new ConformanceError(`${place}: the row has a reason already`);
  } else row.exception = { kind, reason: value };
}

function requireEnough({ level, files, tests, exception, place }: Row) {
  if (exception === undefined && (files.length === 0 || tests.length === 0)) {
    throw new ConformanceError(`${place}: name a file and a test, or say why there is none`);
  }
  if (exception?.kind === 'not followed' && !level.startsWith('SHOULD')) {
    throw new ConformanceError(`${place}: a MUST that is not followed is "open"`);
  }
}
