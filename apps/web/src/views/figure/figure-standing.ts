/** How each step of the figure stands: of a scenario by its moments, of a recording or a machine that runs by what is watched of it. */
import { FIGURE_STEPS, passThroughText, type WatchedStep } from '@viommu/inspector';
import type { PageStore } from '../../page/page-store.ts';
import type { FigureMoment } from '../../replay/replay-messages.ts';
import { STEPS, type Step } from './figure-layout.ts';

/** `refused` is `now`, of an access that came to nothing; `unseen` is what a guest does where nobody outside sees it. */
export type StepState = 'now' | 'refused' | 'done' | 'ahead' | 'unseen';

export interface StepStanding {
  readonly state: StepState;
  /** How often it happened so far. */
  readonly count: number;
  /** The latest time, in words. */
  readonly text: string | undefined;
}

export type Standing = Readonly<Record<Step, StepStanding>>;

/** The guest's own; what comes of it is seen. */
const UNSEEN: Step = '1a';
/** Microseconds for which a step of a machine that runs stays lit. */
const LIT = 500_000;

/** @returns undefined when there is no device that is passed through, or nothing to tell of it */
export function standingOf(store: PageStore): Standing | undefined {
  const { trace, live, position, view } = store;
  if (trace !== undefined && trace.recording === undefined) {
    return trace.figure.length === 0
      ? undefined
      : bySteps((step) => played(trace.figure, position, step));
  }
  const isThere =
    live === undefined
      ? trace !== undefined && trace.figure.length > 0
      : view.topology.endpoints.some(({ kind }) => kind === 'engine');
  if (!isThere) return undefined;
  const isNow = ({ time, operation }: WatchedStep): boolean =>
    live === undefined
      ? operation === position - 1
      : live.state.kind !== 'ended' && view.now.time - time < LIT;
  return bySteps((step) => watched(view.steps, isNow, step));
}

function bySteps(standing: (step: Step) => StepStanding): Standing {
  return Object.fromEntries(STEPS.map(({ step }) => [step, standing(step)])) as Standing;
}

function played(moments: readonly FigureMoment[], position: number, step: Step): StepStanding {
  const past = moments.filter((one) => one.step === step && one.operation < position);
  const last = past.at(-1);
  if (last === undefined) return { state: 'ahead', count: 0, text: undefined };
  const lit = last.isRefused ? 'refused' : 'now';
  const state = last.operation === position - 1 ? lit : 'done';
  return { state, count: past.length, text: last.text };
}

function watched(
  steps: readonly WatchedStep[],
  isNow: (step: WatchedStep) => boolean,
  step: Step,
): StepStanding {
  if (step === UNSEEN) return { state: 'unseen', count: 0, text: undefined };
  const ours = steps.filter(({ latest }) => FIGURE_STEPS[latest.type] === step);
  const [last] = ours.sort(
    (one, other) => other.time - one.time || other.operation - one.operation,
  );
  if (last === undefined) return { state: 'ahead', count: 0, text: undefined };
  const lit = last.latest.type === 'engineRefused' ? 'refused' : 'now';
  return {
    state: isNow(last) ? lit : 'done',
    count: ours.reduce((sum, { count }) => sum + count, 0),
    text: passThroughText(last.latest),
  };
}
