/** SnapshotTarget: damaged snapshots are refused and change nothing, or the machine goes on with what they say. */
import type { IommuSnapshot } from '@viommu/iommu-core';
import { VirtioError } from '@viommu/virtqueue';
import { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { BLUEPRINTS, Machine, MEMORY_LENGTH } from '../../machines/machine.ts';
import { MachineStock } from '../../machines/machine-stock.ts';
import { createStages, putStage, restoreAll, type Stage } from '../../machines/stages.ts';
import { mutateJson } from './json-mutations.ts';
import { checkTranslations } from './mapping-check.ts';

const MUTATIONS_MAX = 16;
/** Each queue has 16 buffers or 512 requests, a copy has 11 portions: all is done long before. */
const TURNS_MAX = 64;
const PAGE = 0x1000;
const KICK = '"kicked":false';

/**
 * Written in another way or order, or changed by the restore: a link that came up, INTx that is asserted again.
 */
const MAY_DIFFER: ReadonlySet<string> = new Set([
  'config',
  'configGeneration',
  'domains',
  'driverFeatures',
  'endpoints',
  'isrStatus',
  'kicked',
  'status',
  'unread',
]);

type Outcome = 'refused' | 'reset' | 'restored';

export class SnapshotTarget implements FuzzTarget {
  readonly #input = new InputReader();
  /** Of the machine, and of the one that its snapshots are tried with; all of it is written for each input. */
  readonly #stock = new MachineStock(new Uint8Array(MEMORY_LENGTH));
  readonly #others = new MachineStock(new Uint8Array(MEMORY_LENGTH));
  readonly #stages: readonly (readonly Stage[])[] = BLUEPRINTS.map(createStages);
  /** As after power-on. */
  readonly #reset = BLUEPRINTS.map((blueprint) => comparable(new Machine(blueprint)));

  run(bytes: Uint8Array): number {
    const input = this.#input;
    input.begin(bytes);
    const code = input.byte();
    const kind = code % BLUEPRINTS.length;
    const blueprint = BLUEPRINTS[kind]!;
    const stages = this.#stages[kind]!;
    const stage = input.pick(stages);
    const { room, before } = this.#setting(input.byte(), stages);

    const machine = this.#stock.take(blueprint);
    machine.backend.room = room;
    if (before !== undefined) putStage(machine, before);
    machine.bytes.set(stage.memory);
    const damaged: object[] = JSON.parse(stage.snapshots);
    for (let left = MUTATIONS_MAX; left > 0 && !input.isAtEnd; left -= 1) {
      mutateJson(damaged, input);
    }
    const isDamaged = JSON.stringify(damaged) !== stage.snapshots;

    const outcome = this.#restore(machine, damaged, kind);
    if (outcome !== 'restored') {
      if (!isDamaged && room === Number.POSITIVE_INFINITY)
        violated(`a whole snapshot is ${outcome}`);
      this.#stock.giveBack(blueprint, machine);
      return outcome === 'refused' ? code % BLUEPRINTS.length : 0x100;
    }
    const told = this.#goOn(machine, kind, damaged, stage);
    this.#stock.giveBack(blueprint, machine);
    return told;
  }

  /** Whether a machine is at work already, and what room there is below its IOMMU. */
  #setting(code: number, stages: readonly Stage[]): { room: number; before: Stage | undefined } {
    if (code < 0x80) return { room: Number.POSITIVE_INFINITY, before: undefined };
    if (code < 0xc0)
      return { room: Number.POSITIVE_INFINITY, before: stages[code % stages.length] };
    return { room: code % 16, before: undefined };
  }

  #restore(machine: Machine, damaged: readonly unknown[], kind: number): Outcome {
    const before = JSON.stringify(machine.snapshot());
    try {
      restoreAll(machine, damaged);
    } catch (error) {
      if (!(error instanceof VirtioError)) throw error;
      if (error.code === 'SNAPSHOT') {
        if (JSON.stringify(machine.snapshot()) !== before) violated('what is refused has changed');
        return 'refused';
      }
      if (error.code !== 'SNAPSHOT_REFUSED') throw error;
      if (comparable(machine) !== this.#reset[kind]) violated('not all is reset');
      return 'reset';
    }
    return 'restored';
  }

  #goOn(machine: Machine, kind: number, damaged: readonly unknown[], stage: Stage): number {
    const input = this.#input;
    const restored = JSON.stringify(machine.snapshot());
    checkTaken(JSON.parse(restored), damaged, 'snapshot');
    this.#checkAgain(machine, kind, restored);
    const iommu = iommuOf(machine);
    checkTranslations(machine, iommu, [input.word32(), input.word16()]);
    const before = placesOf(damaged);
    const isPlaced = before === placesOf(JSON.parse(stage.snapshots));

    let turns = 0;
    while (turns < TURNS_MAX && machine.service()) turns += 1;
    // Rings that lie in each other may feed each other.
    if (turns === TURNS_MAX && isPlaced) violated('there is work without an end');
    readRegisters(machine);
    const served = JSON.stringify(machine.snapshot());
    if (served !== restored) this.#checkAgain(machine, kind, served);
    machine.reset();
    if (comparable(machine) !== this.#reset[kind]) violated('not all is reset');
    return (
      0x200 |
      kind |
      (restored === JSON.stringify(damaged) ? 8 : 0) |
      (served === restored ? 0x10 : 0) |
      (Math.min(iommu.domains.length, 3) << 5) |
      (Math.min(turns, 3) << 7)
    );
  }

  /** Its own snapshot is taken by another machine, which has the same then. */
  #checkAgain(machine: Machine, kind: number, snapshot: string): void {
    const blueprint = BLUEPRINTS[kind]!;
    const other = this.#others.take(blueprint);
    other.bytes.set(machine.bytes);
    restoreAll(other, JSON.parse(snapshot));
    // A network device looks for frames that have come meanwhile.
    const isNet = blueprint.device === 'net';
    const withoutKicks = (text: string) => (isNet ? text.replaceAll('"kicked":true', KICK) : text);
    const [again, expected] = [JSON.stringify(other.snapshot()), snapshot].map(withoutKicks);
    this.#others.giveBack(blueprint, other);
    if (again !== expected) {
      violated(`restored again it is another: ${firstDifference(again!, expected!)}`);
    }
  }
}

/** What of a reset machine is the same whatever it did before: not `bypass`, nor how often the configuration has changed. */
function comparable(machine: Machine): string {
  return JSON.stringify(machine.snapshot(), (name, value) =>
    name === 'configGeneration' || name === 'bypass' ? undefined : value,
  );
}

/** What was restored is what was said. */
function checkTaken(taken: unknown, said: unknown, path: string): void {
  if (typeof taken !== 'object' || taken === null) {
    if (taken !== said) violated(`${path} is ${taken}, not ${said}`);
    return;
  }
  for (const [name, value] of Object.entries(taken)) {
    if (MAY_DIFFER.has(name)) continue;
    checkTaken(value, (said as Record<string, unknown>)[name], `${path}.${name}`);
  }
}

function firstDifference(left: string, right: string): string {
  let at = 0;
  while (left[at] === right[at]) at += 1;
  const from = Math.max(at - 40, 0);
  return `${left.slice(from, at + 20)} in place of ${right.slice(from, at + 20)}`;
}

/** Where rings lie, and what addresses mean. */
function placesOf(snapshots: readonly unknown[]): string {
  const places: unknown[] = [];
  JSON.stringify(snapshots, (name, value) => {
    if (name === 'addresses' || name === 'size' || name === 'domains' || name === 'bypass') {
      places.push(value);
    }
    return value;
  });
  return JSON.stringify(places);
}

function iommuOf(machine: Machine): IommuSnapshot {
  return machine.iommu.snapshot();
}

/** Each register of the first pages of each part. */
function readRegisters(machine: Machine): void {
  for (const part of machine.parts) {
    if (part.kind === 'mmio') {
      for (let offset = 0; offset < part.target.size; offset += 4) part.target.read(offset, 4);
      continue;
    }
    for (let offset = 0; offset < 256; offset += 4) part.target.readConfig(offset, 4);
    for (let page = 0; page < 3; page += 1) {
      for (let offset = 0; offset < 64; offset += 4)
        part.target.readBar(0, page * PAGE + offset, 4);
    }
  }
}
