/** PciTarget: accesses of any kind to configuration space and BARs of functions that are at work. */
import { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import {
  BLUEPRINTS,
  type HostEvents,
  MEMORY_LENGTH,
  type PciPart,
} from '../../machines/machine.ts';
import { MachineStock } from '../../machines/machine-stock.ts';
import { createStages } from '../../machines/stages.ts';
import { MachineRun } from './machine-run.ts';
import { PciChecks } from './pci-checks.ts';
import { checkWidth, readValue, readWidth, statusOutcome } from './register-input.ts';

const OPERATIONS_MAX = 64;
const PCI_BLUEPRINTS = BLUEPRINTS.filter(({ bus }) => bus !== 'mmio');
/** Command, BARs, the line, the MSI-X control word, the window of virtio's access capability. */
const CONFIG_OFFSETS = [4, 4, 0x10, 0x14, 0x3c, 0x42, 0x42, 0x8c, 0x90, 0x94, 0x98, 0x98];
/** Registers of struct virtio_pci_common_cfg, and how wide each is. */
const COMMON_FIELDS = [
  [0x00, 4],
  [0x04, 4],
  [0x08, 4],
  [0x0c, 4],
  [0x10, 2],
  [0x14, 1],
  [0x14, 1],
  [0x16, 2],
  [0x18, 2],
  [0x1a, 2],
  [0x1c, 2],
  [0x20, 4],
  [0x24, 4],
  [0x28, 4],
  [0x30, 4],
  [0x3a, 2],
] as const;
const STATUS = 0x14;
const [ISR, DEVICE, NOTIFY] = [0x1000, 0x2000, 0x3000];
const [FIRST_BAR, MSIX_BAR] = [0, 1];

export class PciTarget implements FuzzTarget {
  readonly #input = new InputReader();
  readonly #stages = PCI_BLUEPRINTS.map(createStages);
  readonly #stock = new MachineStock(new Uint8Array(MEMORY_LENGTH));

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const kind = input.byte() % PCI_BLUEPRINTS.length;
    const blueprint = PCI_BLUEPRINTS[kind]!;
    let checks: PciChecks[] = [];
    const levels = new Map<number, boolean>();
    const events: HostEvents = {
      message: (part, ...message) => checks[part]?.message(...message),
      level: (part, isAsserted) => {
        levels.set(part, isAsserted);
        checks[part]?.level(isAsserted);
      },
    };
    const stage = input.pick(this.#stages[kind]!);
    const run = new MachineRun(this.#stock.take(blueprint), stage, events);
    const parts = run.machine.parts.filter((part): part is PciPart => part.kind === 'pci');
    checks = parts.map(({ target, name }, index) => {
      const check = new PciChecks(target, name);
      if (levels.get(index)) check.level(true);
      return check;
    });

    for (let left = OPERATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      this.#operate(run, parts);
      for (const check of checks) check.check();
    }
    run.serve();
    for (const check of checks) check.check();
    const status = parts.at(-1)!.target.readBar(FIRST_BAR, STATUS, 1);
    run.machine.reset();
    for (const level of levels.values()) if (level) violated('INTx is asserted after a reset');
    this.#stock.giveBack(blueprint, run.machine);
    const messages = checks.reduce((sum, check) => sum + check.messages, 0);
    const heard = Math.min(messages, 15) | (Math.min(levels.size, 1) << 4);
    return kind | (heard << 2) | (Math.min(run.turns, 7) << 7) | (statusOutcome(status) << 10);
  }

  #operate(run: MachineRun, parts: readonly PciPart[]): void {
    const input = this.#input;
    const code = input.byte();
    const part = parts[(code >> 4) % parts.length]!;
    switch (code % 16) {
      case 0:
      case 1:
        this.#accessConfig(part, code >= 0x80);
        break;
      case 2:
        this.#accessBar(part, input.byte() % 8, input.word16(), 4);
        break;
      case 3:
        this.#accessBar(part, MSIX_BAR, (input.byte() % 16) * 4, 4);
        break;
      case 4:
        run.writeMemory(input);
        break;
      case 5:
        run.makeAvailable(input);
        break;
      case 6:
        this.#accessBar(part, FIRST_BAR, NOTIFY + (input.byte() % 4) * 4, 2);
        break;
      case 7:
        run.deliver(input);
        break;
      case 8:
        this.#plug(run, part, input.byte());
        break;
      case 9:
      case 10:
        run.serve();
        break;
      case 11:
        this.#accessBar(part, FIRST_BAR, input.pick([ISR, DEVICE, DEVICE + 36]) + (code >> 6), 1);
        break;
      case 12:
        // Of the DMA engine; of windows, their registers.
        this.#accessBar(part, FIRST_BAR, (code >> 6) * 0x1000 + (input.byte() % 64) * 4, 4);
        break;
      default: {
        const [offset, width] = input.pick(COMMON_FIELDS);
        this.#accessBar(part, FIRST_BAR, offset, width);
      }
    }
  }

  #accessConfig({ target, name }: PciPart, isAnywhere: boolean): void {
    const input = this.#input;
    const offset = isAnywhere ? input.byte() : input.pick(CONFIG_OFFSETS);
    const code = input.byte();
    const width = readWidth(code, 4);
    if (code >= 0x80) target.writeConfig(offset, width, readValue(input, width));
    else checkWidth(target.readConfig(offset, width), width, `${name}, configuration ${offset}`);
  }

  #accessBar({ target, name }: PciPart, bar: number, offset: number, natural: 1 | 2 | 4): void {
    const input = this.#input;
    const code = input.byte();
    const width = readWidth(code, natural);
    if (code >= 0x60) target.writeBar(bar, offset, width, readValue(input, width));
    else {
      checkWidth(target.readBar(bar, offset, width), width, `${name}, BAR ${bar}, ${offset}`);
    }
  }

  /** Not often, since all that the driver did is gone then. */
  #plug(run: MachineRun, { target }: PciPart, code: number): void {
    if (code >= 0xe0) target.reset();
    else if (code >= 0x80) run.restoreItself();
  }
}
