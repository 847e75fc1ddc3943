/** registerCases: makes tests of the cases of a black-box suite, and holds a device to its list of departures. */
import { describe, it } from 'vitest';
import type { CaseOptions, CaseOutcome, Departure, SuiteCase } from './suite-case.ts';

/** What a case works on; closed after it. */
export interface CaseSetting {
  close(): void;
}

/**
 * @param create called for each case
 * @throws Error when an option names a case that is not there, or leaves out a MUST
 */
export function registerCases<Setting extends CaseSetting>(
  name: string,
  cases: readonly SuiteCase<Setting>[],
  create: () => Setting,
  options: CaseOptions = {},
): void {
  const { leftOut = {}, departures = {} } = options;
  checkNames(name, cases, options);
  describe(name, () => {
    for (const each of cases) {
      const { section, level, says } = each;
      const tell = (result: CaseOutcome['result'], note?: string) =>
        options.onOutcome?.({
          ...{ name: each.name, section, level, says, result },
          ...(note === undefined ? {} : { note }),
        });
      it(`${each.name} [${section}: ${level}]`, ({ skip }) => {
        const reason = leftOut[each.name];
        if (reason !== undefined) {
          tell('left out', reason);
          skip(reason);
        }
        const departure = departures[each.name];
        const setting = create();
        let missing: string | undefined;
        try {
          missing = each.needs?.(setting);
          if (missing === undefined) runCase(each, setting, departure);
        } finally {
          setting.close();
        }
        if (missing === undefined) {
          tell(departure === undefined ? 'passed' : 'departed', departure?.does);
          return;
        }
        if (departure !== undefined) {
          throw new Error(`it is on the list of departures, but cannot be tried: ${missing}`);
        }
        tell('skipped', missing);
        skip(missing);
      });
    }
  });
}

/** @throws what the case throws, unless it departs as it says there; Error when it does not depart */
export function runCase<Setting>(
  each: SuiteCase<Setting>,
  setting: Setting,
  departure: Departure | undefined,
): void {
  if (departure === undefined) {
    each.run(setting);
    return;
  }
  let message: string | undefined;
  try {
    each.run(setting);
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
    const { message: expected } = departure;
    const isExpected =
      typeof expected === 'string' ? message.includes(expected) : expected.test(message);
    if (!isExpected) throw error;
  }
  if (message === undefined) {
    throw new Error('it no longer departs from the standard: take it off the list of departures');
  }
}

function checkNames<Setting>(
  suite: string,
  cases: readonly SuiteCase<Setting>[],
  { leftOut = {}, departures = {} }: CaseOptions,
): void {
  const levels = new Map(cases.map(({ name, level }) => [name, level]));
  if (levels.size !== cases.length) throw new Error(`${suite}: two cases have the same name`);
  for (const name of [...Object.keys(leftOut), ...Object.keys(departures)]) {
    if (!levels.has(name)) throw new Error(`${suite} has no case "${name}"`);
  }
  for (const name of Object.keys(leftOut)) {
    if (levels.get(name) === 'MUST') throw new Error(`${suite}: "${name}" is a MUST`);
  }
}
