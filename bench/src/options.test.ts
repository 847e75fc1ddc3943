/** The command line. */
import { describe, expect, it } from 'vitest';
import { chooseRows } from './bench.ts';
import { parseOptions } from './options.ts';

function parse(...args: string[]) {
  let text = '';
  try {
    return {
      options: parseOptions(args, (part) => {
        text += part;
      }),
      text,
    };
  } catch (error) {
    return { exitCode: (error as { exitCode: number }).exitCode, text };
  }
}

it('takes all options', () => {
  expect(parse().options).toMatchObject({
    peers: false,
    scaling: false,
    json: false,
    batches: 15,
    only: undefined,
  });
  expect(parse('--scaling', '--write').options).toMatchObject({ scaling: true, write: true });
  expect(parse('--quick').options).toMatchObject({ quick: true, batches: 3 });
  expect(parse('--quick', '--batches', '20', '--only', 'ring').options).toMatchObject({
    batches: 20,
    only: 'ring',
  });
});

describe('what makes no sense', () => {
  it.each([
    ['--batches', '0'],
    ['--batches', 'many'],
    ['--fast'],
    ['ring'],
    ['--write', '--quick'],
    ['--scaling', '--peers'],
  ])('%s %s is one line and an exit code', (...args) => {
    const { exitCode, text } = parse(...args);
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^bench: [^\n]+\n$/);
  });

  it('is a row that there is not', () => {
    expect(() => chooseRows('steam')).toThrow('no row has "steam" in its name');
  });
});

it('chooses rows by their names, each of which is there once', () => {
  const names = chooseRows(undefined).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(chooseRows('packed').map(({ name }) => name)).toContain('ring packed / split');
});
