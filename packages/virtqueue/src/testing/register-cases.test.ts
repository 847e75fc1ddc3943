/** Cases of a suite against a list of departures. */
import { describe, expect, it } from 'vitest';
import { registerCases, runCase } from './register-cases.ts';
import type { CaseOutcome, SuiteCase } from './suite-case.ts';

const close = () => {};
const about = { section: 'Somewhere', says: 'Something.' } as const;
const FOUR: SuiteCase<{ value: number; close(): void }> = {
  ...{ ...about, name: 'is four', level: 'MUST' },
  run: ({ value }) => expect(value).toBe(4),
};
const NEEDY: typeof FOUR = {
  ...{ ...about, name: 'needs more', level: 'SHOULD' },
  needs: () => 'there is no more',
  run: () => expect.fail('it was tried'),
};

describe('runCase', () => {
  const departure = { does: 'It is five.', message: 'expected 5 to be 4' };

  it('lets pass what is as asked, and what departs as the list says', () => {
    runCase(FOUR, { value: 4, close }, undefined);
    runCase(FOUR, { value: 5, close }, departure);
    runCase(FOUR, { value: 5, close }, { ...departure, message: /expected \d to be 4/ });
  });

  it('fails what departs unlisted, otherwise than listed, or no longer', () => {
    expect(() => runCase(FOUR, { value: 5, close }, undefined)).toThrow('expected 5 to be 4');
    expect(() => runCase(FOUR, { value: 6, close }, departure)).toThrow('expected 6 to be 4');
    expect(() => runCase(FOUR, { value: 4, close }, departure)).toThrow('no longer departs');
  });
});

describe('registerCases', () => {
  const register = (options: object, cases = [FOUR, NEEDY]) =>
    registerCases('a suite', cases, () => ({ value: 4, close }), options);

  it('wants names that are there, once, and every MUST', () => {
    const departure = { does: '', message: '' };
    expect(() => register({ departures: { 'is five': departure } })).toThrow('no case "is five"');
    expect(() => register({ leftOut: { 'is five': '' } })).toThrow('no case "is five"');
    expect(() => register({ leftOut: { 'is four': 'why not' } })).toThrow('is a MUST');
    expect(() => register({}, [FOUR, FOUR])).toThrow('the same name');
  });

  const outcomes: CaseOutcome[] = [];
  const onOutcome = (outcome: CaseOutcome) => void outcomes.push(outcome);
  let closed = 0;
  const closes = (value: number) => () => ({
    value,
    close() {
      closed += 1;
    },
  });
  registerCases('as asked', [FOUR, NEEDY], closes(4), { onOutcome });
  registerCases('otherwise', [FOUR, NEEDY], closes(5), {
    ...{ onOutcome, departures: { 'is four': { does: 'It is five.', message: 'expected 5' } } },
    leftOut: { 'needs more': 'we have none' },
  });

  it('tells what came of each, and closes what was made', () => {
    expect(outcomes.map(({ name, result, note }) => [name, result, note])).toEqual([
      ['is four', 'passed', undefined],
      ['needs more', 'skipped', 'there is no more'],
      ['is four', 'departed', 'It is five.'],
      ['needs more', 'left out', 'we have none'],
    ]);
    expect(closed).toBe(3);
  });
});
