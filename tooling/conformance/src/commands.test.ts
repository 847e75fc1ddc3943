/** The commands on this repository itself, as far as they need neither reports nor a clone of the standard. */
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { checkCommand, extractCommand } from './commands.ts';
import { ConformanceError } from './conformance-error.ts';

test('every statement has a row, every file of a row is there, and the document is fresh', () => {
  const lines: string[] = [];
  checkCommand([], { requireAll: false }, (line) => lines.push(line));
  expect(lines[0]).toMatch(/^part +side +MUST covered/);
  expect(lines.some((line) => line.startsWith('all '))).toBe(true);
});

test('a report that is not there, and a folder that is no clone, are told in one line', () => {
  const print = () => {};
  expect(() => checkCommand(['none.json'], { requireAll: false }, print)).toThrow(ConformanceError);
  expect(() => extractCommand(tmpdir(), { text: true }, print)).toThrow(
    'give the path of a clone of the standard',
  );
});
