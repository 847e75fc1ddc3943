/** Writes `docs/spec-coverage.md` from statements and rows. */
import type { MatchedGroup, MatchedSection, StatedRow } from '../check/match-rows.ts';
import { isMust } from '../standard/statement.ts';
import { SUMMARY_HEADER, summaryLines } from './summary.ts';

const INTRODUCTION = `# What of the standard is covered, where, and by which test

<!-- Written by tooling/conformance from its rows/; change those, then: node tooling/conformance/dist/main.js write -->

The standard is the OASIS virtio specification, version 1.4 draft. A row is one normative statement of it: one MUST or SHOULD
in one sentence, in our words. The number is its place in the section; the key in \`tooling/conformance/rows/\` is a hash of the
sentence, so a row is asked for again when the sentence changes. A check fails when a statement has no row, when a file is not
there, and when a test that a row names did not run.

Left out are statements of two kinds. "Not offered" names the feature that we do not offer, so that no driver can negotiate it. "Does not
apply" says why the case cannot arise. An open statement is one that we do not meet, or that no test holds us to. Not here: channel I/O,
other device types, and the legacy interface, of which this project has none. What the standard says outside of its normative sections,
and drafts, are in [spec-beyond-statements.md](spec-beyond-statements.md).

Paths begin in \`packages/\`, but those in \`apps/\`. A test named "group > *" stands for all tests of the group. Suites run for several devices and transports; a row names one of each kind.
`;

export function writeDocument(commit: string, groups: readonly MatchedGroup[]): string {
  return [
    INTRODUCTION,
    `Commit of the standard: ${commit}.\n`,
    '## Summary\n',
    table(SUMMARY_HEADER, summaryLines(groups)),
    ...groups.flatMap(({ title, sections }) => [`## ${title}\n`, ...sections.map(writeSection)]),
  ].join('\n');
}

function writeSection({ section, rows, rest }: MatchedSection): string {
  const heading = `### ${section.title} (${section.side})\n\n${section.label}\n`;
  const own = rows.flatMap((stated, index) => writeRow(stated, index + 1));
  const without = rows.filter(({ row }) => row === undefined);
  const parts = [heading];
  if (own.length > 0) parts.push(table(['', 'level', 'statement', 'where', 'test'], own));
  if (rest !== undefined && without.length > 0) {
    const musts = without.filter(({ statement }) => isMust(statement.level)).length;
    const which = own.length > 0 ? 'The others' : 'All';
    parts.push(
      `${which}, ${musts} MUST and ${without.length - musts} SHOULD: ${rest.kind}: ${rest.reason}\n`,
    );
  }
  return parts.join('\n');
}

function writeRow({ statement, row }: StatedRow, ordinal: number): string[][] {
  if (row === undefined) return [];
  const { kind, reason } = row.exception ?? {};
  const tests = row.tests.map((test) => code(test));
  return [
    [
      `${ordinal}`,
      statement.level,
      row.words,
      row.files.map(code).join('<br>'),
      [...(kind === undefined ? [] : [`**${kind}**: ${reason}`]), ...tests].join('<br>'),
    ],
  ];
}

/** Most paths begin in `packages/`, which the reader is spared. */
function code(text: string): string {
  return `\`${text.replace(/^packages\//, '')}\``;
}

function table(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(header), line(header.map(() => '---')), ...lines.map(line)].join('\n')}\n`;
}
