/** What is known about one statement of the standard, as people write it down in `rows/`. */
import type { Level, Side } from '../standard/statement.ts';

/** Only a SHOULD can be `not followed`; an `open` one is a defect that is known. */
export type Exception = 'not offered' | 'does not apply' | 'not followed' | 'open';

export interface Row {
  readonly key: string;
  readonly level: Level;
  /** The statement in our words. */
  readonly words: string;
  /** Where it is enforced, from the root of the repository. */
  readonly files: readonly string[];
  /** "file > group > title", and "file > group > *" for all tests of a group. */
  readonly tests: readonly string[];
  readonly exception: { readonly kind: Exception; readonly reason: string } | undefined;
  /** For messages: file and line. */
  readonly place: string;
}

export interface RowSection {
  readonly side: Side;
  readonly label: string;
  readonly rows: readonly Row[];
  /** Holds for each statement of the section that has no row of its own. */
  readonly rest: { readonly kind: Exception; readonly reason: string } | undefined;
  readonly place: string;
}

export interface RowGroup {
  readonly title: string;
  readonly sections: readonly RowSection[];
}
