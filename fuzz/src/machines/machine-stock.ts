/** MachineStock: machines that are used again, since to make one takes longer than most of what is done with it. */
import { type Blueprint, Machine } from './machine.ts';

export class MachineStock {
  readonly #machines = new Map<Blueprint, Machine[]>();
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** @param bytes the memory of all of them, of which one is used at a time */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** As after power-on, but for what its memory holds and how often its configuration has changed. */
  take(blueprint: Blueprint): Machine {
    const machine = this.#machines.get(blueprint)?.pop();
    if (machine === undefined) return new Machine(blueprint, { bytes: this.#bytes });
    machine.powerOff();
    return machine;
  }

  /** What something was wrong with is not to be given back. */
  giveBack(blueprint: Blueprint, machine: Machine): void {
    const machines = this.#machines.get(blueprint) ?? [];
    if (machines.length === 0) this.#machines.set(blueprint, machines);
    machines.push(machine);
  }
}
