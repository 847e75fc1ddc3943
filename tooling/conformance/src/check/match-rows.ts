/** Joins statements and rows: each statement gets what is known about it, and what does not fit is reported. */
import type { Row, RowGroup, RowSection } from '../rows/row.ts';
import {
  type NormativeSection,
  type Standard,
  type Statement,
  sectionName,
} from '../standard/statement.ts';

export interface StatedRow {
  readonly statement: Statement;
  /** None for a statement that the rest of its section speaks for. */
  readonly row: Row | undefined;
}

export interface MatchedSection {
  readonly section: NormativeSection;
  readonly rows: readonly StatedRow[];
  readonly rest: RowSection['rest'];
}

export interface MatchedGroup {
  readonly title: string;
  readonly sections: readonly MatchedSection[];
}

export interface Matched {
  readonly groups: readonly MatchedGroup[];
  /** One line each. */
  readonly problems: readonly string[];
}

export function matchRows(standard: Standard, groups: readonly RowGroup[]): Matched {
  const problems: string[] = [];
  const left = new Map(standard.sections.map((section) => [sectionName(section), section]));
  const matched = groups.map(({ title, sections }) => ({
    title,
    sections: sections.flatMap((rowSection): MatchedSection[] => {
      const name = sectionName(rowSection);
      const section = left.get(name);
      if (section === undefined) {
        problems.push(
          `${rowSection.place}: the standard has no section "${name}", or it was there before`,
        );
        return [];
      }
      left.delete(name);
      const { rest } = rowSection;
      return [{ section, rest, rows: matchSection(section, rowSection, problems) }];
    }),
  }));
  for (const [name, { statements }] of left) {
    if (statements.length > 0) problems.push(`no rows for "${name}"`);
  }
  return { groups: matched, problems };
}

function matchSection(
  section: NormativeSection,
  { rows, rest, place }: RowSection,
  problems: string[],
): StatedRow[] {
  const left = new Map<string, Row>();
  for (const row of rows) {
    if (left.has(row.key)) problems.push(`${row.place}: a second row for ${row.key}`);
    left.set(row.key, row);
  }
  const stated = section.statements.map((statement, index) => {
    const row = left.get(statement.key);
    left.delete(statement.key);
    if (row === undefined && rest === undefined) {
      problems.push(
        `${place}: no row for statement ${index + 1}, ${statement.key} ${statement.level}`,
      );
    } else if (row !== undefined && row.level !== statement.level) {
      problems.push(`${row.place}: ${statement.key} is a ${statement.level}`);
    }
    return { statement, row };
  });
  for (const { key, place: of } of left.values()) {
    problems.push(`${of}: the section has no statement ${key}; has its sentence changed?`);
  }
  return stated;
}
