/** ScenarioPlayer: a scenario that stands between two of its moments. It is played anew for whatever was not kept. */
import {
  answerWalk,
  type InspectorUpdate,
  joinUpdates,
  type WalkAnswer,
  type WalkQuery,
} from '@viommu/inspector';
import { MOMENT_TIME, MomentTeller, type ScenarioMoment } from './moment-teller.ts';
import type { Player } from './player.ts';
import type { StepWords, TraceSummary } from './replay-messages.ts';
import type { PlayedScenario } from './scenarios.ts';

export class ScenarioPlayer implements Player {
  readonly summary: TraceSummary;
  readonly #scenario: PlayedScenario;
  readonly #moments: readonly ScenarioMoment[];
  readonly #idle: InspectorUpdate;
  #position = 0;
  /** Moments that were in an update since all was; the first of all is the machine before anything happened. */
  #taken = 0;
  #query: WalkQuery | undefined;
  /** Of the query, at each position. */
  #walks: WalkAnswer[] = [];

  /** @throws VirtioError `SCENARIO` when something does not hold that should */
  constructor(scenario: PlayedScenario) {
    this.#scenario = scenario;
    const moments: ScenarioMoment[] = [];
    this.#idle = this.#play((moment) => moments.push(moment)).idle();
    this.#moments = moments;
    const numbersOf = (isOne: (moment: ScenarioMoment) => boolean): number[] =>
      moments.flatMap((moment, index) => (isOne(moment) ? [index - 1] : []));
    this.summary = {
      title: scenario.title,
      recording: undefined,
      operations: moments.length - 1,
      requests: numbersOf(({ update }) => update.requests.length > 0),
      faults: numbersOf(({ update }) => update.faults.length > 0),
      activity: moments
        .slice(1)
        .map(({ update }) => update.accesses.reduce((sum, { length }) => sum + length, 0)),
      figure: moments.flatMap(({ step, words, update }, index) =>
        step === undefined
          ? []
          : [
              {
                operation: index - 1,
                step,
                text: words!.text,
                isRefused: update.faults.length > 0,
              },
            ],
      ),
    };
  }

  get position(): number {
    return this.#position;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.summary.operations;
  }

  get pause(): number {
    return this.isAtEnd ? 0 : MOMENT_TIME;
  }

  step(): void {
    this.#position += 1;
  }

  jump(position: number): void {
    const target = Math.min(Math.max(position, 0), this.summary.operations);
    if (target < this.#position) this.#taken = 0;
    this.#position = target;
  }

  takeUpdate(): InspectorUpdate {
    const { time, operation } = this.#moments[this.#position]!.update;
    const updates = this.#moments.slice(this.#taken, this.#position + 1);
    this.#taken = this.#position + 1;
    return joinUpdates([
      { ...this.#idle, time, operation },
      ...updates.map(({ update }) => update),
    ]);
  }

  describe(): StepWords | undefined {
    return this.#moments[this.#position]!.words;
  }

  walk(query: WalkQuery): WalkAnswer {
    if (JSON.stringify(query) !== JSON.stringify(this.#query)) {
      this.#query = query;
      this.#walks = [];
      this.#play((_, teller) => this.#walks.push(answerWalk(teller.machine, query)));
    }
    return this.#walks[this.#position]!;
  }

  #play(onMoment: (moment: ScenarioMoment, teller: MomentTeller) => void): MomentTeller {
    const teller = new MomentTeller(this.#scenario, onMoment);
    this.#scenario.play(teller);
    return teller;
  }
}
