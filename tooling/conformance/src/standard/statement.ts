/** What the extractor keeps of the standard: which statements there are, and none of their text. */

/** REQUIRED and SHALL count as MUST, RECOMMENDED as SHOULD. */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT';

export type Side = 'device' | 'driver';

export interface Statement {
  /** Eight digits of a hash over the section, the sentence and which keyword in it. It changes when the sentence does. */
  readonly key: string;
  readonly level: Level;
}

export interface NormativeSection {
  readonly side: Side;
  /** The label by which the standard refers to the section, without its side. */
  readonly label: string;
  readonly title: string;
  /** The file of the standard that the section is in. */
  readonly file: string;
  /** In the order of the text: the first is statement 1. */
  readonly statements: readonly Statement[];
}

export interface Standard {
  /** The commit of the standard that was read. */
  readonly commit: string;
  readonly sections: readonly NormativeSection[];
}

/** Both sides use the same labels. */
export function sectionName(section: { readonly side: Side; readonly label: string }): string {
  return `${section.side}: ${section.label}`;
}

export function isMust(level: Level): boolean {
  return level.startsWith('MUST');
}
