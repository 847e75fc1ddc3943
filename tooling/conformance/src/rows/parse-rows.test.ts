import { describe, expect, test } from 'vitest';
import { parseRows } from './parse-rows.ts';

const ROWS = `# Things

## device: Basics / Things

- 0123abcd MUST: It hums.
  - file: src/hum.ts
  - test: src/hum.test.ts > a thing > hums
- 4567abcd SHOULD NOT: It sings.
  - not followed: it likes to sing

## driver: Basics / Things

- all: not offered: THING_F_DRIVER
`;

describe('a file of rows', () => {
  test('is read whole', () => {
    const { title, sections } = parseRows('rows/x.md', ROWS);
    expect(title).toBe('Things');
    expect(sections).toEqual([
      {
        side: 'device',
        label: 'Basics / Things',
        place: 'rows/x.md:3',
        rest: undefined,
        rows: [
          {
            key: '0123abcd',
            level: 'MUST',
            words: 'It hums.',
            files: ['src/hum.ts'],
            tests: ['src/hum.test.ts > a thing > hums'],
            exception: undefined,
            place: 'rows/x.md:5',
          },
          {
            key: '4567abcd',
            level: 'SHOULD NOT',
            words: 'It sings.',
            files: [],
            tests: [],
            exception: { kind: 'not followed', reason: 'it likes to sing' },
            place: 'rows/x.md:8',
          },
        ],
      },
      {
        side: 'driver',
        label: 'Basics / Things',
        place: 'rows/x.md:11',
        rest: { kind: 'not offered', reason: 'THING_F_DRIVER' },
        rows: [],
      },
    ]);
  });

  test.each([
    [
      'a line of no known shape',
      ROWS.replace('  - file', '  - files'),
      'rows/x.md:6: not a heading',
    ],
    ['a key of another length', ROWS.replace('0123abcd', '0123'), 'rows/x.md:5: not a heading'],
    ['a row before the first section', '# Things\n- 0123abcd MUST: It.', 'rows/x.md:2: not a'],
    ['no title', '', 'rows/x.md: no title'],
    [
      'a row without a test',
      ROWS.replace('  - test: src/hum.test.ts > a thing > hums\n', ''),
      'rows/x.md:5: name a file and a test',
    ],
    [
      'a row without a file',
      ROWS.replace('  - file: src/hum.ts\n', ''),
      'rows/x.md:5: name a file and a test',
    ],
    [
      'a MUST that is not followed',
      ROWS.replace('SHOULD NOT', 'MUST NOT'),
      'rows/x.md:8: a MUST that is not followed is "open"',
    ],
    [
      'two reasons',
      ROWS.replace('it likes to sing', 'it likes to sing\n  - open: it cannot stop'),
      'rows/x.md:10: the row has a reason already',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseRows('rows/x.md', text)).toThrow(message);
  });
});
