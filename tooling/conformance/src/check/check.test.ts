import { describe, expect, test } from 'vitest';
import { writeDocument } from '../document/write-document.ts';
import { parseRows } from '../rows/parse-rows.ts';
import type { Standard } from '../standard/statement.ts';
import { formatStatements, parseStatements } from '../standard/statements-file.ts';
import { type CheckInput, check } from './check.ts';
import { matchRows } from './match-rows.ts';
import { readOutcomes } from './test-report.ts';

const STANDARD: Standard = {
  commit: 'c0ffee',
  sections: [
    {
      side: 'device',
      label: 'Basics / Things',
      title: 'Things',
      file: 'things.tex',
      statements: [
        { key: '0123abcd', level: 'MUST' },
        { key: '4567abcd', level: 'SHOULD NOT' },
        { key: '89abcdef', level: 'MUST' },
      ],
    },
    { side: 'driver', label: 'Empty', title: 'Empty', file: 'things.tex', statements: [] },
  ],
};

const ROWS = `# Things

## device: Basics / Things

- 0123abcd MUST: It hums.
  - file: src/hum.ts
  - test: src/hum.test.ts > a thing > hums
- 4567abcd SHOULD NOT: It sings.
  - not followed: it likes to sing
- 89abcdef MUST: It listens | always.
  - file: src/hum.ts
  - test: src/hum.test.ts > ears > *
`;

const FILES = ['src/hum.ts', 'src/hum.test.ts', 'src/big.guest.test.ts'];

const PASSED = {
  'a thing > hums': 'passed',
  'ears > left': 'passed',
  'ears > right': 'passed',
};

/** As vitest writes it. */
function report(statuses: Readonly<Record<string, string>>, file = '/root/src/hum.test.ts') {
  const assertionResults = Object.entries(statuses).map(([name, status]) => {
    const titles = name.split(' > ');
    return { ancestorTitles: titles.slice(0, -1), title: titles.at(-1), status };
  });
  return JSON.stringify({ testResults: [{ name: file, assertionResults }] });
}

interface Case {
  readonly rows?: string;
  readonly standard?: Standard;
  readonly statuses?: Readonly<Record<string, string>>;
  readonly document?: string;
  readonly requireAll?: boolean;
}

function run({ rows = ROWS, standard = STANDARD, statuses = PASSED, ...rest }: Case = {}) {
  const groups = [parseRows('rows/x.md', rows)];
  const input: CheckInput = {
    standard,
    rows: groups,
    repository: {
      exists: (file) => FILES.includes(file),
      outcomes: readOutcomes([report(statuses)], '/root'),
    },
    document: writeDocument(standard.commit, matchRows(standard, groups).groups),
    requireAll: true,
    ...rest,
  };
  return check(input);
}

function withoutRow(key: string) {
  return ROWS.replace(new RegExp(`- ${key}[^\\n]*\\n(  -[^\\n]*\\n)*`), '');
}

describe('the check', () => {
  test('finds nothing when every statement has a row, and every row its file and its test', () => {
    expect(run()).toMatchObject({ problems: [], notRun: [], open: [] });
  });

  test('fails when a statement has no row', () => {
    expect(run({ rows: withoutRow('89abcdef') }).problems).toEqual([
      'rows/x.md:3: no row for statement 3, 89abcdef MUST',
    ]);
  });

  test('fails when a section has no rows at all', () => {
    const section = { ...STANDARD.sections[0]!, label: 'Other' };
    const standard = { ...STANDARD, sections: [...STANDARD.sections, section] };
    expect(run({ standard }).problems).toEqual(['no rows for "device: Other"']);
  });

  test('fails when the sentence of a row changed', () => {
    const [section] = STANDARD.sections;
    const statements = [
      { key: 'ffffffff', level: 'MUST' } as const,
      ...section!.statements.slice(1),
    ];
    const standard = { ...STANDARD, sections: [{ ...section!, statements }] };
    expect(run({ standard }).problems).toEqual([
      'rows/x.md:3: no row for statement 1, ffffffff MUST',
      'rows/x.md:5: the section has no statement 0123abcd; has its sentence changed?',
    ]);
  });

  test('fails when a row has another level than its statement, is there twice, or is in no section', () => {
    expect(run({ rows: ROWS.replace('0123abcd MUST', '0123abcd SHOULD') }).problems).toEqual([
      'rows/x.md:5: 0123abcd is a MUST',
    ]);
    expect(run({ rows: ROWS.replace('4567abcd', '0123abcd') }).problems).toContain(
      'rows/x.md:8: a second row for 0123abcd',
    );
    expect(run({ rows: `${ROWS}\n## driver: Else\n` }).problems).toEqual([
      'rows/x.md:14: the standard has no section "driver: Else", or it was there before',
    ]);
  });

  test('takes the word of a section for statements without a row', () => {
    const rows = `${withoutRow('89abcdef')}- all: not offered: THING_F_EARS\n`;
    expect(run({ rows }).problems).toEqual([]);
  });

  test('fails when a file is not there', () => {
    const rows = ROWS.replace('file: src/hum.ts', 'file: src/gone.ts').replace(
      'src/hum.test.ts > ears',
      'src/gone.test.ts > ears',
    );
    expect(run({ rows }).problems).toEqual([
      'rows/x.md:5: there is no file src/gone.ts',
      'rows/x.md:10: there is no file of tests src/gone.test.ts',
    ]);
  });

  test('fails when a test is not there', () => {
    expect(run({ rows: ROWS.replace('hums\n', 'hum\n') }).problems).toEqual([
      'rows/x.md:5: no such test: src/hum.test.ts > a thing > hum',
    ]);
    expect(run({ rows: ROWS.replace('ears > *', 'eyes > *') }).problems).toEqual([
      'rows/x.md:10: no such test: src/hum.test.ts > eyes > *',
    ]);
  });

  test('fails when a test failed, alone or in its group', () => {
    expect(run({ statuses: { ...PASSED, 'a thing > hums': 'failed' } }).problems).toEqual([
      'rows/x.md:5: the test failed: src/hum.test.ts > a thing > hums',
    ]);
    expect(run({ statuses: { ...PASSED, 'ears > left': 'failed' } }).problems).toEqual([
      'rows/x.md:10: the test failed: src/hum.test.ts > ears > *',
    ]);
  });

  test('counts a row whose test was skipped, and fails when all have to run', () => {
    const statuses = { ...PASSED, 'a thing > hums': 'skipped' };
    const lenient = run({ statuses, requireAll: false });
    expect(lenient.problems).toEqual([]);
    expect(lenient.notRun.map(({ key }) => key)).toEqual(['0123abcd']);
    expect(run({ statuses }).problems).toEqual(['rows/x.md:5: not all of its tests ran']);
  });

  test('counts a row of which one test ran and another was skipped', () => {
    const rows = ROWS.replace(
      'a thing > hums\n',
      'a thing > hums\n  - test: src/hum.test.ts > ears > left\n',
    );
    expect(run({ rows }).problems).toEqual([]);
    const statuses = { ...PASSED, 'a thing > hums': 'skipped' };
    expect(run({ rows, statuses }).notRun.map(({ key }) => key)).toEqual(['0123abcd']);
  });

  test('counts a row whose guest test is in no report, and fails when all have to run', () => {
    const rows = ROWS.replace('src/hum.test.ts > a thing', 'src/big.guest.test.ts > a thing');
    expect(run({ rows, requireAll: false })).toMatchObject({ problems: [], notRun: [{}] });
    expect(run({ rows }).problems).toEqual(['rows/x.md:5: not all of its tests ran']);
  });

  test('fails when the document is stale', () => {
    expect(run({ document: 'old' }).problems).toEqual([
      'docs/spec-coverage.md is stale: node tooling/conformance/dist/main.js write',
    ]);
  });

  test('lists what is open', () => {
    const rows = ROWS.replace('not followed: it likes', 'open: it likes');
    expect(run({ rows }).open.map(({ key }) => key)).toEqual(['4567abcd']);
  });
});

describe('the document', () => {
  const { groups } = matchRows(STANDARD, [parseRows('rows/x.md', ROWS)]);
  const document = writeDocument('c0ffee', groups);

  test('has a row for each statement, with its place in the section', () => {
    expect(document).toContain(
      '| 1 | MUST | It hums. | `src/hum.ts` | `src/hum.test.ts > a thing > hums` |',
    );
    expect(document).toContain(
      '| 2 | SHOULD NOT | It sings. |  | **not followed**: it likes to sing |',
    );
    expect(document).toContain('| 3 | MUST | It listens \\| always. |');
  });

  test('counts what is covered', () => {
    expect(document).toContain(
      '| Things | device | 2 of 2 | 0 | 0 of 1 | 1 | 0 | 0 MUST, 0 SHOULD |',
    );
    expect(document).toContain('| all | device | 2 of 2 | 0 | 0 of 1 | 1 | 0 | 0 MUST, 0 SHOULD |');
  });

  test('counts what the word of a section leaves out', () => {
    const rows = `${withoutRow('89abcdef')}- all: not offered: THING_F_EARS\n`;
    const matched = matchRows(STANDARD, [parseRows('rows/x.md', rows)]);
    const text = writeDocument('c0ffee', matched.groups);
    expect(text).toContain('The others, 1 MUST and 0 SHOULD: not offered: THING_F_EARS');
    expect(text).toContain('| Things | device | 1 of 1 | 0 | 0 of 1 | 1 | 0 | 1 MUST, 0 SHOULD |');
  });
});

describe('statements.json', () => {
  test('has commit, sections, keys and levels, and no text', () => {
    const sections = STANDARD.sections.map((section) => ({
      ...section,
      statements: section.statements.map((statement) => ({ ...statement, text: 'Secret words' })),
    }));
    const file = formatStatements({ commit: 'c0ffee', sections });
    expect(file).not.toContain('Secret');
    expect(parseStatements(file)).toEqual(STANDARD);
  });

  test('that is broken is refused', () => {
    expect(() => parseStatements('{')).toThrow('cannot be read');
  });
});

describe('a report', () => {
  test('that is none of vitest is refused', () => {
    expect(() => readOutcomes(['{}'], '/root')).toThrow('not the JSON that vitest writes');
  });

  test('with two tests of one name counts the one that ended worse', () => {
    const outcomes = readOutcomes(
      [report(PASSED), report({ 'a thing > hums': 'failed' })],
      '/root',
    );
    expect(outcomes.get('src/hum.test.ts > a thing > hums')).toBe('failed');
    expect(outcomes.get('src/hum.test.ts > ears > left')).toBe('passed');
  });
});
