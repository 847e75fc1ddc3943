import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

const parse = (args: string[], lines: string[] = []) =>
  parseOptions(args, ['split', 'event'], (text) => lines.push(text));

describe('parseOptions', () => {
  it('takes a target, and how long and from what', () => {
    expect(parse(['split', '--seconds', '5', '--seed', '0'])).toEqual({
      target: 'split',
      seconds: 5,
      seed: 0,
      input: undefined,
    });
    const { seconds, seed } = parse(['all']);
    expect([seconds, seed >= 0 && seed < 2 ** 32]).toEqual([60, true]);
  });

  it.each([
    [['nothing'], /^fuzz: .*nothing/],
    [[], /^fuzz: missing required argument/],
    [['split', '--seconds', '0'], /^fuzz: .*1 to 999999/],
    [['split', '--seed', '4294967296'], /^fuzz: .*0 to 4294967295/],
    [['all', '--input', 'x'], /^fuzz: --input is for one target/],
    [['split', '--what'], /^fuzz: unknown option/],
  ])('%j is refused in one line', (args, reason) => {
    const lines: string[] = [];
    expect(() => parse(args, lines)).toThrow();
    expect(lines.join('').trimEnd()).toMatch(reason);
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
  });
});
