/** The contract between the page and the worker that replays a trace for it. Types and docs only. */
import type { InspectorUpdate } from '@viommu/inspector';

/** What the page asks for. A position is a number of operations that were replayed. */
export type ReplayCommand =
  /** Relative to the page. */
  | { readonly kind: 'open'; readonly url: string; readonly position?: number }
  | { readonly kind: 'openFile'; readonly file: Blob }
  /** `speed` 1 is as fast as it was recorded, but for long pauses; Infinity as fast as it goes. */
  | { readonly kind: 'play'; readonly speed: number }
  | { readonly kind: 'pause' }
  /** Replays one operation. */
  | { readonly kind: 'step' }
  /** Forwards, or backwards by a fresh replay. */
  | { readonly kind: 'jump'; readonly position: number };

/** What there is in a trace, found by replaying all of it once. */
export interface TraceSummary {
  readonly title: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly operations: number;
  /** Numbers of the operations at which requests were answered, ascending. */
  readonly requests: readonly number[];
  readonly faults: readonly number[];
  /** Bytes that endpoints accessed, in parts of the trace that have equally many operations. */
  readonly activity: readonly number[];
  /** False for a trace that was cut off. */
  readonly isComplete: boolean;
}

/** An operation in words. */
export interface StepWords {
  /** Such as `blk`. */
  readonly actor: string;
  readonly text: string;
  /** The first ones. */
  readonly effects: readonly string[];
  /** Effects that are not in `effects`. */
  readonly more: number;
}

export type ReplayReport =
  | { readonly kind: 'opened'; readonly trace: TraceSummary }
  | {
      readonly kind: 'moved';
      readonly position: number;
      readonly isPlaying: boolean;
      /** The operation that was replayed last; none at the beginning. */
      readonly step: StepWords | undefined;
      readonly update: InspectorUpdate;
    }
  /** What the page should say; the trace stays where it is, or is not opened. */
  | { readonly kind: 'failed'; readonly message: string };
