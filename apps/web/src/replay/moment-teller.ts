/** MomentTeller: takes a scenario apart into moments, each with its words and with what has changed of the machine since the one before. */
import {
  accessVerb,
  faultReason,
  hexNumber,
  type InspectorUpdate,
  MachineWatch,
  requestEffect,
  requestFields,
  statusName,
} from '@viommu/inspector';
import { type IommuObserver, joinObservers } from '@viommu/iommu-core';
import type { Machine } from '@viommu/machine';
import type { FigureStep, ScenarioTeller } from '@viommu/scenarios';
import type { StepWords } from './replay-messages.ts';
import type { PlayedScenario } from './scenarios.ts';

/** Microseconds from one moment to the next: a scenario has no clock, and this is what one can follow. */
export const MOMENT_TIME = 600_000;

export interface ScenarioMoment {
  /** None of the first moment, when the machine is there and nothing has happened. */
  readonly words: StepWords | undefined;
  readonly step: FigureStep | undefined;
  readonly update: InspectorUpdate;
}

export class MomentTeller implements ScenarioTeller {
  /** There when the first moment is. */
  machine!: Machine;
  readonly observer: IommuObserver;
  readonly observeQueues: MachineWatch['observeQueues'];
  readonly #watch: MachineWatch;
  readonly #onMoment: (moment: ScenarioMoment, teller: MomentTeller) => void;
  #moments = 0;
  #chapters = 0;

  constructor(
    { machine, faultStep }: Pick<PlayedScenario, 'machine' | 'faultStep'>,
    onMoment: (moment: ScenarioMoment, teller: MomentTeller) => void,
  ) {
    this.#watch = new MachineWatch(machine);
    this.#onMoment = onMoment;
    this.observeQueues = this.#watch.observeQueues;
    this.observer = joinObservers([
      this.#watch.observe(0),
      {
        request: (record) => {
          const effect = `${statusName(record.status)}: ${requestEffect(record)}`;
          this.#moment({ actor: 'request', text: requestFields(record), effects: [effect] });
        },
        fault: (endpoint, reason, access, address, delivered) => {
          const what = `may not ${accessVerb(access)} at ${hexNumber(address)}`;
          const text = `endpoint ${hexNumber(endpoint)} ${what}: ${faultReason(reason)}`;
          const report = delivered
            ? 'a report goes into an event buffer'
            : 'the driver has no event buffer';
          this.#moment({ actor: 'IOMMU', text, effects: [report] }, faultStep);
        },
      },
    ]);
  }

  begin(machine: Machine): void {
    this.machine = machine;
    this.#watch.begin(machine);
    this.#onMoment({ words: undefined, step: undefined, update: this.#watch.takeAll() }, this);
    this.#advance();
  }

  chapter(title: string): void {
    this.#chapters += 1;
    this.#moment({ actor: `${this.#chapters}.`, text: title, effects: [] });
  }

  tell(who: string, text: string, step?: FigureStep): void {
    this.#moment({ actor: who, text, effects: [] }, step);
  }

  /** An update by which nothing changes. To be asked for at the end. */
  idle(): InspectorUpdate {
    // What came behind the last moment is in no moment.
    this.#watch.take();
    return this.#watch.take();
  }

  #moment(words: Omit<StepWords, 'more'>, step?: FigureStep): void {
    // The time between two moments is not what anything took.
    const update = { ...this.#watch.take(), latency: [] };
    this.#onMoment({ words: { ...words, more: 0 }, step, update }, this);
    this.#advance();
  }

  #advance(): void {
    this.#watch.now = { time: (this.#moments + 1) * MOMENT_TIME, operation: this.#moments };
    this.#moments += 1;
  }
}
