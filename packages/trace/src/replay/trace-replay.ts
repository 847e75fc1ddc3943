/** TraceReplay: does with fresh functions what was done with those of a trace, and checks that the same comes of it. */
import type { MachineParts } from '@viommu/machine';
import type { PciFunction } from '@viommu/transport-pci';
import type { AccessWidth } from '@viommu/virtqueue';
import type { TraceHeader, TraceOperation, TraceStep } from '../format/trace-events.ts';
import { SparseBytes } from '../memory/sparse-bytes.ts';
import { TraceError } from '../trace-error.ts';
import { EffectScript } from './effect-script.ts';
import { ReplayedDisk } from './replayed-disk.ts';
import { ReplayedMemory } from './replayed-memory.ts';
import { ReplayedNetwork } from './replayed-network.ts';

export interface TraceReplayOptions {
  /**
   * Bytes of guest memory, and of each disk, that are kept at most: a trace of a few bytes can have devices write many.
   * 1 GiB by default.
   */
  readonly memoryLimit?: number;
}

/** A function with the memory of its host. */
interface Replayed {
  readonly name: string;
  readonly function: PciFunction;
  readonly memory: ReplayedMemory;
}

const DEFAULT_MEMORY_LIMIT = 1 << 30;
/** Bytes. */
const CONFIG_SPACE = 256;
const WIDTHS: readonly number[] = [1, 2, 4, 8];

interface RegisterAccess {
  readonly offset: number;
  readonly width: number;
  readonly value: number;
}

/** In this order: a machine is made with {@link parts}, its functions are handed to {@link addFunction}, and steps to {@link apply}. */
export class TraceReplay {
  /** The disks, networks and random numbers of the trace. */
  readonly parts: MachineParts;
  readonly #header: TraceHeader;
  readonly #script = new EffectScript();
  readonly #known: SparseBytes;
  readonly #functions: Replayed[] = [];
  readonly #networks: ReplayedNetwork[] = [];

  constructor(header: TraceHeader, options: TraceReplayOptions = {}) {
    const limit = options.memoryLimit ?? DEFAULT_MEMORY_LIMIT;
    this.#header = header;
    this.#known = new SparseBytes({ limit });
    const script = this.#script;
    let disks = 0;
    this.parts = {
      openDisk: () => {
        const disk = itemOf(header.disks, disks, 'disk');
        disks += 1;
        return new ReplayedDisk(disk, disks - 1, script, limit);
      },
      openNetwork: () => {
        const index = this.#networks.length;
        const network = new ReplayedNetwork(
          itemOf(header.networks, index, 'network'),
          index,
          script,
        );
        this.#networks.push(network);
        return network;
      },
      fillRandom: (bytes) => {
        const effect = script.take(['random'], () => `random: ${bytes.length} bytes`);
        if (effect.bytes.length !== bytes.length) {
          script.diverge(`random: ${effect.bytes.length} bytes`, `random: ${bytes.length} bytes`);
        }
        bytes.set(effect.bytes);
      },
    };
  }

  /** Functions are added in the order of the header. @throws TraceError when it has another one there, or none */
  addFunction({
    name,
    function: added,
  }: {
    readonly name: string;
    readonly function: PciFunction;
  }): void {
    const expected = itemOf(this.#header.functions, this.#functions.length, 'function');
    if (expected.name !== name) {
      throw new TraceError(
        `the trace has function ${expected.name} where this machine has ${name}`,
      );
    }
    const memory = new ReplayedMemory(this.#script, this.#known);
    this.#functions.push({ name, function: added, memory });
  }

  /**
   * Replays one operation.
   *
   * @throws TraceDivergence when something else comes of it, TraceError when the trace is damaged
   */
  apply(step: TraceStep): void {
    this.#script.begin(step);
    this.#perform(step.operation);
    this.#script.end();
  }

  #perform(operation: TraceOperation): void {
    switch (operation.kind) {
      case 'end':
        return;
      case 'networkReady':
        itemOf(this.#networks, operation.network, 'network').takeTold();
        return;
    }
    const { function: target, memory } = itemOf(this.#functions, operation.function, 'function');
    switch (operation.kind) {
      case 'regions':
        memory.setRegions(operation.regions, operation.isShared);
        return;
      case 'connect':
        this.#connect(target, memory, operation.ownsMsixTable);
        return;
      case 'disconnect':
        target.disconnect();
        return;
      case 'reset':
        target.reset();
        return;
      case 'memoryChanged':
        target.memoryChanged?.();
        return;
      case 'readConfig':
        checkAccess(operation, CONFIG_SPACE);
        this.#checkValue(operation, target.readConfig(operation.offset, widthOf(operation)));
        return;
      case 'writeConfig':
        checkAccess(operation, CONFIG_SPACE);
        target.writeConfig(operation.offset, widthOf(operation), operation.value);
        return;
      case 'readBar': {
        const { bar, offset } = operation;
        checkAccess(operation, barSize(target, bar));
        this.#checkValue(operation, target.readBar(bar, offset, widthOf(operation)));
        return;
      }
      case 'writeBar':
        checkAccess(operation, barSize(target, operation.bar));
        target.writeBar(operation.bar, operation.offset, widthOf(operation), operation.value);
        return;
      case 'service':
        this.#script.expect({ kind: 'served', workLeft: target.service() });
    }
  }

  #connect(target: PciFunction, memory: ReplayedMemory, ownsMsixTable: boolean): void {
    const script = this.#script;
    target.connect({
      memory,
      ownsMsixTable,
      signalMsix: (vector, address, data) => script.expect({ kind: 'msix', vector, address, data }),
      setIntx: (asserted) => script.expect({ kind: 'intx', asserted }),
    });
  }

  #checkValue({ value }: { readonly value: number }, actual: number): void {
    if (value !== actual) {
      this.#script.diverge(`the value 0x${value.toString(16)}`, `0x${actual.toString(16)}`);
    }
  }
}

/** Hosts access registers where they are: what lies outside is no host's doing. */
function checkAccess(access: RegisterAccess, size: number): void {
  const { offset, value } = access;
  const width = widthOf(access);
  if (offset + width > size || value >= 2 ** (8 * width)) {
    throw new TraceError(
      `the trace is damaged: a register of ${width} bytes at offset ${offset} of ${size}, with ${value}`,
    );
  }
}

function barSize({ bars }: PciFunction, bar: number): number {
  return bars.find(({ index }) => index === bar)?.size ?? 0;
}

function widthOf({ width }: { readonly width: number }): AccessWidth {
  if (!WIDTHS.includes(width)) throw new TraceError(`the trace is damaged: ${width} bytes wide`);
  return width as AccessWidth;
}

function itemOf<T>(items: readonly T[], index: number, name: string): T {
  const item = items[index];
  if (item === undefined) throw new TraceError(`the trace is damaged: it has no ${name} ${index}`);
  return item;
}
