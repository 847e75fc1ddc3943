/** MachineRun: a machine at some stage, for traffic of any kind: what it tells its host is handed to who checks it. */
import type { InputReader } from '../../engine/input-reader.ts';
import { type HostEvents, type Machine, MEMORY_LENGTH } from '../../machines/machine.ts';
import { putStage, restoreAll, type Stage } from '../../machines/stages.ts';
import { readValue } from './register-input.ts';

/** Of one access of the driver. */
const TURNS_MAX = 4;
const LONGEST_FRAME = 1518;

export class MachineRun {
  readonly machine: Machine;
  /** Turns that found work. */
  turns = 0;

  /** @param machine as after power-on */
  constructor(machine: Machine, stage: Stage, events: HostEvents) {
    this.machine = machine;
    machine.events = events;
    putStage(machine, stage);
  }

  serve(): void {
    for (let turn = 0; turn < TURNS_MAX && this.machine.service(); turn += 1) this.turns += 1;
  }

  /** What the driver has in memory: mostly what its rings are made of. */
  writeMemory(input: InputReader): void {
    const at = input.word16() % MEMORY_LENGTH;
    const value = readValue(input, 2);
    const { bytes } = this.machine;
    bytes[at] = value;
    if (at + 1 < MEMORY_LENGTH) bytes[at + 1] = value >>> 8;
  }

  /** Counts an index of 16 bits up, as a driver does that makes buffers available. */
  makeAvailable(input: InputReader): void {
    // avail.idx of the split rings of the IOMMU's requests, of the device's first queue, of its second.
    const at = input.pick([0x1102, 0x3102, 0x3902]);
    const { bytes } = this.machine;
    const index = bytes[at]! + bytes[at + 1]! * 256 + 1 + (input.byte() % 4);
    bytes[at] = index;
    bytes[at + 1] = index >>> 8;
  }

  deliver(input: InputReader): void {
    this.machine.network.deliver(input.word16() % (LONGEST_FRAME + 1));
  }

  /** What it is goes on in the same machine. */
  restoreItself(): void {
    const snapshots = this.machine.snapshot();
    restoreAll(this.machine, JSON.parse(JSON.stringify(snapshots)));
  }
}
