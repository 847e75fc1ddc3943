/** MmioTarget: accesses of any kind to windows of registers of devices that are at work, alone and behind a PCI function. */
import type { AccessWidth } from '@viommu/virtqueue';
import { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import {
  BLUEPRINTS,
  type HostEvents,
  type Machine,
  MEMORY_LENGTH,
} from '../../machines/machine.ts';
import { MachineStock } from '../../machines/machine-stock.ts';
import { createStages } from '../../machines/stages.ts';
import { MachineRun } from './machine-run.ts';
import { checkWidth, readValue, readWidth, statusOutcome } from './register-input.ts';

const OPERATIONS_MAX = 64;
const MMIO_BLUEPRINTS = BLUEPRINTS.filter(({ bus }) => bus === 'mmio' || bus === 'windows');
const WINDOWS = 2;
const WINDOW_SIZE = 0x1000;
const COMMAND = 4;
const [MAGIC_VALUE, MAGIC] = [0, 0x7472_6976];
const STATUS = 0x70;
const [QUEUE_NOTIFY, INTERRUPT_STATUS, INTERRUPT_ACK] = [0x50, 0x60, 0x64];
const REGISTERS = [
  0x10, 0x14, 0x20, 0x24, 0x30, 0x34, 0x38, 0x44, 0x44, 0x50, 0x60, 0x64, 0x70, 0x70, 0x80, 0x84,
  0x90, 0x94, 0xa0, 0xa4, 0xb0, 0xc0, 0xfc, 0x100, 0x124,
];
const EVENTS = 3;

/** One window, wherever it is. */
interface Window {
  read(offset: number, width: AccessWidth): number;
  write(offset: number, width: AccessWidth, value: number): void;
  reset(): void;
}

export class MmioTarget implements FuzzTarget {
  readonly #input = new InputReader();
  readonly #stages = MMIO_BLUEPRINTS.map(createStages);
  readonly #stock = new MachineStock(new Uint8Array(MEMORY_LENGTH));

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const kind = input.byte() % MMIO_BLUEPRINTS.length;
    const blueprint = MMIO_BLUEPRINTS[kind]!;
    /** By part. */
    const levels = [false, false];
    let changes = 0;
    const events: HostEvents = {
      message: () => violated('a message of what has none'),
      level: (part, isAsserted) => {
        if (levels[part] === isAsserted) violated('the interrupt signal is told twice');
        levels[part] = isAsserted;
        changes += 1;
      },
    };
    const stage = input.pick(this.#stages[kind]!);
    const run = new MachineRun(this.#stock.take(blueprint), stage, events);
    const windows = windowsOf(run.machine);
    const identities = windows.map(identityOf);
    const check = () => {
      for (const [index, window] of windows.entries()) {
        if (identityOf(window) !== identities[index]) violated(`window ${index} is another device`);
        // A window alone has the signal of the standard: asserted until all events are acknowledged.
        if (blueprint.bus !== 'mmio') continue;
        const status = window.read(INTERRUPT_STATUS, 4);
        if ((status & ~EVENTS) !== 0) violated(`InterruptStatus is ${status}`);
        if (levels[index] !== status > 0)
          violated(`window ${index}: the signal is ${levels[index]}`);
      }
    };

    for (let left = OPERATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      this.#operate(run, windows);
      check();
    }
    run.serve();
    check();
    // Whatever there was: all that has been read and acknowledged is silent.
    for (const window of windows) {
      const status = window.read(INTERRUPT_STATUS, 4);
      window.write(INTERRUPT_ACK, 4, status);
    }
    if (levels.includes(true)) violated('a signal is asserted when all is acknowledged');
    const status = statusOutcome(windows.at(-1)!.read(STATUS, 4));
    this.#stock.giveBack(blueprint, run.machine);
    return kind | (Math.min(changes, 31) << 2) | (Math.min(run.turns, 7) << 7) | (status << 10);
  }

  #operate(run: MachineRun, windows: readonly Window[]): void {
    const input = this.#input;
    const code = input.byte();
    const window = windows[(code >> 4) % windows.length]!;
    switch (code % 12) {
      case 0:
        this.#access(window, input.word16() % WINDOW_SIZE);
        break;
      case 1:
        run.writeMemory(input);
        break;
      case 2:
        run.makeAvailable(input);
        break;
      case 3:
        window.write(QUEUE_NOTIFY, 4, input.byte() % 3);
        break;
      case 4:
        run.deliver(input);
        break;
      case 5:
        this.#reset(run, window, input.byte());
        break;
      case 6:
      case 7:
        run.serve();
        break;
      case 8:
        this.#command(run.machine);
        break;
      default:
        this.#access(window, input.pick(REGISTERS));
    }
  }

  #access(window: Window, offset: number): void {
    const input = this.#input;
    const code = input.byte();
    const width = readWidth(code, 4);
    if (code >= 0x60) window.write(offset, width, readValue(input, width));
    else checkWidth(window.read(offset, width), width, `${offset}`);
  }

  /** Not often, since all that the driver did is gone then. */
  #reset(run: MachineRun, window: Window, code: number): void {
    if (code >= 0xe0) window.reset();
    else if (code >= 0x80) run.restoreItself();
  }

  /** Of the function that the windows are behind, if there is one. */
  #command({ parts }: Machine): void {
    const value = this.#input.byte();
    const [part] = parts;
    if (part?.kind === 'pci') part.target.writeConfig(COMMAND, 2, value);
  }
}

function windowsOf({ parts }: Machine): Window[] {
  return Array.from({ length: WINDOWS }, (_, index) => {
    const part = parts[parts.length === 1 ? 0 : index]!;
    if (part.kind === 'mmio') return part.target;
    const { target } = part;
    const base = index * WINDOW_SIZE;
    return {
      read: (offset, width) => target.readBar(0, base + offset, width),
      write: (offset, width, value) => target.writeBar(0, base + offset, width, value),
      reset: () => target.reset(),
    };
  });
}

/** Version, device and vendor, of what has the magic value. */
function identityOf(window: Window): string {
  if (window.read(MAGIC_VALUE, 4) !== MAGIC) violated('there is no magic value');
  return [4, 8, 12].map((offset) => window.read(offset, 4)).join();
}
