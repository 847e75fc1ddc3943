/** The contract Player: something that is gone through operation by operation, and watched meanwhile. Types and docs only. */
import type { InspectorUpdate, WalkAnswer, WalkQuery } from '@viommu/inspector';
import type { StepWords, TraceSummary } from './replay-messages.ts';

export interface Player {
  readonly summary: TraceSummary;
  /** Operations that were gone through. */
  readonly position: number;
  readonly isAtEnd: boolean;
  /** Microseconds that the next operation is waited for when it is played at speed 1. */
  readonly pause: number;
  /** Goes through one operation; not to be called at the end. */
  step(): void;
  /** Forwards or backwards, no further than there are operations. */
  jump(position: number): void;
  /** What has changed since the last one; all, when it went backwards. */
  takeUpdate(): InspectorUpdate;
  /** The operation that was gone through last. */
  describe(): StepWords | undefined;
  walk(query: WalkQuery): WalkAnswer;
}
