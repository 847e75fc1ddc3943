/** The contract SuiteCase: one case of a black-box suite, with what the standard says of it. Types and docs only. */

/**
 * How binding it is: a MUST, SHOULD or MAY of the standard, NOT included; what the standard describes in other words; or
 * nothing that the standard says, but what this repository holds its devices to.
 */
export type CaseLevel = 'MUST' | 'SHOULD' | 'MAY' | 'described' | 'ours';

export interface SuiteCase<Setting> {
  /** Unique in its suite. */
  readonly name: string;
  /** Heading in the standard. */
  readonly section: string;
  readonly level: CaseLevel;
  /** What is asked of the device, in a sentence. */
  readonly says: string;
  /** @returns why the case cannot be tried on this device; undefined when it can */
  readonly needs?: (setting: Setting) => string | undefined;
  /** @throws AssertionError when the device does otherwise */
  readonly run: (setting: Setting) => void;
}

/** A case in which a device is known to do otherwise. */
export interface Departure {
  /** What the device does instead, in a sentence. */
  readonly does: string;
  /** A part of the assertion's message by which exactly this is recognized. */
  readonly message: string | RegExp;
}

/** What came of a case. */
export interface CaseOutcome {
  readonly name: string;
  readonly section: string;
  readonly level: CaseLevel;
  readonly says: string;
  readonly result: 'passed' | 'departed' | 'skipped' | 'left out';
  /** What the device does when it departed, why it was skipped or left out. */
  readonly note?: string;
}

export interface CaseOptions {
  /** By name, cases that are not tried, each with the reason; a MUST is not among them. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** By name, cases in which the device departs. One that does not depart as it says there fails, and so does one that departs unlisted. */
  readonly departures?: Readonly<Record<string, Departure>>;
  /** Called with each outcome but failures, for a report. */
  readonly onOutcome?: (outcome: CaseOutcome) => void;
}
