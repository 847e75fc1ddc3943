/** ReplayMachine: a fresh machine as a trace describes it, with which the trace is replayed. */
import {
  createMachine,
  descriptionOf,
  type Machine,
  type MachineDescription,
  type MachineOptions,
} from '@viommu/machine';
import type { TraceHeader, TraceStep } from '../format/trace-events.ts';
import { TraceReplay, type TraceReplayOptions } from './trace-replay.ts';

export class ReplayMachine {
  readonly description: MachineDescription;
  readonly machine: Machine;
  readonly #replay: TraceReplay;

  /**
   * @param observers sees what the machine does
   * @throws TraceError or VirtioError when the header does not describe a machine
   */
  constructor(
    header: TraceHeader,
    observers: Omit<MachineOptions, 'parts'> = {},
    options: TraceReplayOptions = {},
  ) {
    this.description = descriptionOf(header.machine);
    this.#replay = new TraceReplay(header, options);
    this.machine = createMachine(this.description, { ...observers, parts: this.#replay.parts });
    for (const one of this.machine.functions) this.#replay.addFunction(one);
  }

  /** @throws TraceDivergence when something else comes of it than of the machine that was recorded */
  apply(step: TraceStep): void {
    this.#replay.apply(step);
  }
}
