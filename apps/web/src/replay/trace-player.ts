/** TracePlayer: a trace that stands at a position, on fresh machines that are watched. */
import {
  answerWalk,
  effectText,
  FIGURE_STEPS,
  type InspectorUpdate,
  MachineWatch,
  operationActor,
  operationText,
  passThroughText,
  RegisterNames,
  type StepNames,
  type WalkAnswer,
  type WalkQuery,
  watchPassThrough,
} from '@viommu/inspector';
import { type IommuObserver, joinObservers } from '@viommu/iommu-core';
import { descriptionOf } from '@viommu/machine';
import type { FigureStep } from '@viommu/scenarios';
import { ReplayMachine } from '@viommu/trace';
import type { LoadedTrace } from './load-trace.ts';
import type { Player } from './player.ts';
import type { FigureMoment, StepWords, TraceSummary } from './replay-messages.ts';

const EFFECTS_SHOWN = 4;
const ACTIVITY_PARTS = 400;
/** Microseconds; a longer pause of the recording is played as this one. */
const LONGEST_PAUSE = 50_000;

export class TracePlayer implements Player {
  readonly summary: TraceSummary;
  readonly #trace: LoadedTrace;
  #replay!: ReplayMachine;
  #watch!: MachineWatch;
  #names: StepNames = [];
  #position = 0;
  /** Whether the next update has to have all. */
  #isFresh = true;

  constructor(trace: LoadedTrace) {
    this.#trace = trace;
    this.summary = summarize(trace);
    this.#restart();
  }

  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#trace.steps.length;
  }

  get pause(): number {
    return Math.min(this.#trace.steps[this.#position]?.operation.time ?? 0, LONGEST_PAUSE);
  }

  /** @throws TraceDivergence */
  step(): void {
    const step = this.#trace.steps[this.#position]!;
    this.#watch.now = { time: step.time, operation: step.index };
    this.#replay.apply(step);
    this.#position += 1;
  }

  /** @throws TraceDivergence */
  jump(position: number): void {
    const target = Math.min(Math.max(position, 0), this.#trace.steps.length);
    if (target < this.#position) this.#restart();
    while (this.#position < target) this.step();
  }

  takeUpdate(): InspectorUpdate {
    const update = this.#isFresh ? this.#watch.takeAll() : this.#watch.take();
    this.#isFresh = false;
    return update;
  }

  describe(): StepWords | undefined {
    const step = this.#trace.steps[this.#position - 1];
    if (step === undefined) return undefined;
    const { operation, effects } = step;
    return {
      actor: operationActor(operation, this.#names),
      text: operationText(operation, this.#names),
      effects: effects.slice(0, EFFECTS_SHOWN).map((one) => effectText(one, this.#trace.header)),
      more: Math.max(effects.length - EFFECTS_SHOWN, 0),
    };
  }

  walk(query: WalkQuery): WalkAnswer {
    return answerWalk(this.#replay.machine, query);
  }

  #restart(): void {
    const { header } = this.#trace;
    const { description } = new ReplayMachine(header);
    this.#watch = new MachineWatch(description);
    const { observe, observeQueues, passThroughObserver } = this.#watch;
    this.#replay = new ReplayMachine(header, { observe, observeQueues, passThroughObserver });
    this.#watch.begin(this.#replay.machine);
    this.#names = this.#replay.machine.functions.map(({ name, function: one }) => ({
      name,
      registers: new RegisterNames(one),
    }));
    this.#position = 0;
    this.#isFresh = true;
  }
}

/** Replays all of it once. A trace that diverges is summed up as far as it goes. */
function summarize({ header, steps, isComplete }: LoadedTrace): TraceSummary {
  const requests: number[] = [];
  const faults: number[] = [];
  const activity = new Array<number>(ACTIVITY_PARTS).fill(0);
  let at = 0;
  const observer: IommuObserver = {
    request: () => requests.push(at),
    fault: () => faults.push(at),
    translated: (_endpoint, _address, length) => {
      activity[Math.floor((at / steps.length) * ACTIVITY_PARTS)]! += length;
    },
  };
  const firsts = new Map<FigureStep, FigureMoment>();
  const watch = watchPassThrough(descriptionOf(header.machine), (seen) => {
    const step = FIGURE_STEPS[seen.type];
    if (firsts.has(step)) return;
    const isRefused = seen.type === 'engineRefused';
    firsts.set(step, { operation: at, step, text: passThroughText(seen), isRefused });
  });
  const replay = new ReplayMachine(header, {
    observe: (iommu) => joinObservers([watch.observe(iommu), observer]),
    passThroughObserver: watch.host,
  });
  try {
    for (const step of steps) {
      at = step.index;
      replay.apply(step);
    }
  } catch {
    // The player comes to the same operation, and says so.
  }
  const { title, startedAt, versions } = header;
  const recording = { startedAt, versions, isComplete };
  const operations = steps.length;
  const figure = [...firsts.values()];
  return { title, recording, operations, requests, faults, activity, figure };
}
