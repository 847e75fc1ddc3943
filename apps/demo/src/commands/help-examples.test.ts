/** The examples in the help are such as the command line takes, and a shell is told what there is. */
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { EXAMPLES } from './help-examples.ts';

afterEach(() => vi.restoreAllMocks());

/** Of a line as a shell takes it: words, with or without quotes, up to a pipe. */
function wordsOf(line: string): string[] {
  const [first = ''] = line.split(' | ');
  return [...first.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

const all = Object.entries(EXAMPLES).flatMap(([name, examples]) =>
  examples.map(([args]) => [name, ...wordsOf(args)]),
);

it.each(all)('viommu %s %s %s %s', async (...words) => {
  // What a command then does is not of interest here.
  vi.spyOn(Command.prototype, 'action').mockReturnThis();
  const errors: string[] = [];
  await runCommandLine(words, (text) => errors.push(text));
  expect(errors).toEqual([]);
});

it('each is shown', async () => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    let help = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      help += text;
      return true;
    });
    expect(await runCommandLine([name, '--help'], () => {})).toBe(0);
    vi.restoreAllMocks();
    for (const [args, purpose] of examples) {
      expect(help).toContain(`viommu ${`${name} ${args}`.trim()}`);
      expect(help).toContain(purpose);
    }
  }
});

it.each([
  [['linux', '--scenario', ''], 'passthrough'],
  [['serv'], 'serve'],
  [['linux', '--rec'], '--record'],
  [['ctl', 'tr'], 'translate'],
])('completes %j', async (words, expected) => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  expect(await runCommandLine(['complete', '--', ...words], () => {})).toBe(undefined);
  expect(lines.some((line) => line.startsWith(`${expected}\t`))).toBe(true);
});

it('knows four shells', async () => {
  const errors: string[] = [];
  expect(await runCommandLine(['complete', 'tcsh'], (text) => errors.push(text))).toBe(1);
  expect(errors).toEqual([
    expect.stringContaining('Allowed choices are zsh, bash, fish, powershell'),
  ]);
});
