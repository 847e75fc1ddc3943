/** The contract between the page and the worker that replays a trace or plays a scenario for it. Types and docs only. */
import type { InspectorUpdate, WalkAnswer, WalkQuery } from '@viommu/inspector';
import type { FigureStep } from '@viommu/scenarios';

/** 1: a device that is passed through twice; 2: a virtual device behind the IOMMU. */
export type ScenarioNumber = 1 | 2;

/** What the page asks for. A position is a number of operations that were replayed; of a scenario, of moments that were told. */
export type ReplayCommand =
  /** Relative to the page. */
  | { readonly kind: 'open'; readonly url: string; readonly position?: number }
  | { readonly kind: 'openFile'; readonly file: Blob }
  | { readonly kind: 'openScenario'; readonly scenario: ScenarioNumber; readonly position?: number }
  /** `speed` 1 is as fast as it was recorded, but for long pauses; Infinity as fast as it goes. */
  | { readonly kind: 'play'; readonly speed: number }
  | { readonly kind: 'pause' }
  /** Replays one operation. */
  | { readonly kind: 'step' }
  /** Forwards, or backwards by a fresh replay. */
  | { readonly kind: 'jump'; readonly position: number }
  /** Every report has this walk from now on, and one comes at once. What is opened anew is walked through when it is asked again. */
  | { readonly kind: 'walk'; readonly query: WalkQuery };

/** A step of the figure, when it happened. */
export interface FigureMoment {
  readonly operation: number;
  readonly step: FigureStep;
  readonly text: string;
  /** Whether it was an access that the physical IOMMU refused. */
  readonly isRefused: boolean;
}

/** What there is in a trace or a scenario, found by going through all of it once. */
export interface TraceSummary {
  readonly title: string;
  /** Of a trace. */
  readonly recording: TraceRecording | undefined;
  readonly operations: number;
  /** Numbers of the operations at which requests were answered, ascending. */
  readonly requests: readonly number[];
  readonly faults: readonly number[];
  /** Bytes that endpoints accessed, in parts of the trace that have equally many operations. */
  readonly activity: readonly number[];
  /** Ascending; of a trace the first of each step, as far as they can be seen. */
  readonly figure: readonly FigureMoment[];
}

interface TraceRecording {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly versions: Readonly<Record<string, string>>;
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
      /** Of the query, as the machine is now; none when nothing was asked. */
      readonly walk: WalkAnswer | undefined;
    }
  /** What the page should say; the trace stays where it is, or is not opened. */
  | { readonly kind: 'failed'; readonly message: string };
