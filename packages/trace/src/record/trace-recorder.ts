/** TraceRecorder: writes down all that passes between the functions of a machine and the rest of the world. */
import type { MachineDisk, MachineNetwork, MachineParts } from '@viommu/machine';
import type { PciFunction } from '@viommu/transport-pci';
import { VirtioError } from '@viommu/virtqueue';
import { EventEncoder } from '../format/event-encoder.ts';
import type {
  DiskContent,
  TracedDisk,
  TracedFunction,
  TracedNetwork,
  TraceEffect,
  TraceHeader,
  TraceOperation,
} from '../format/trace-events.ts';
import { SparseBytes } from '../memory/sparse-bytes.ts';
import type { EffectLog, OperationToRecord } from './effect-log.ts';
import { RecordedDisk } from './recorded-disk.ts';
import { RecordedFunction } from './recorded-function.ts';
import { RecordedNetwork } from './recorded-network.ts';

// In Node.js and in browsers alike.
declare const performance: { now(): number };

export interface TraceRecorderOptions extends Pick<TraceHeader, 'title' | 'versions' | 'machine'> {
  /** Takes the bytes of the trace, not compressed yet, chunk by chunk. */
  readonly write: (chunk: Uint8Array) => void;
  /** What a disk holds when it is opened, if it is known; zeros by default, and all else is written into the trace. */
  readonly contentOf?: (disk: number) => DiskContent;
}

/**
 * One recorder is for the functions of one machine, all called by one thread. In this order: the machine is made with
 * {@link recordParts}, each of its functions is handed to {@link recordFunction} and used through what comes back,
 * {@link start} is called before any of them is connected, and {@link end} after all else.
 *
 * A function that is recorded sees no memory in place and so polls no queue: it is slower, but does the same.
 */
export class TraceRecorder implements EffectLog {
  isBusy = false;
  readonly #options: TraceRecorderOptions;
  readonly #functions: TracedFunction[] = [];
  readonly #disks: TracedDisk[] = [];
  readonly #networks: TracedNetwork[] = [];
  /** Guest memory as whoever replays the trace will know it. */
  readonly #known = new SparseBytes();
  #encoder: EventEncoder | undefined;
  /** Of the last operation, in whole microseconds. */
  #time = 0;
  #started = 0;
  /** What came of a register being read, whose value is not known yet. */
  #deferred: TraceEffect[] | undefined;

  constructor(options: TraceRecorderOptions) {
    this.#options = options;
  }

  /** The same disks, networks and random numbers, recorded. */
  recordParts(parts: MachineParts): MachineParts {
    return {
      openDisk: (description) => this.#recordDisk(parts.openDisk(description)),
      openNetwork: (description) => this.#recordNetwork(parts.openNetwork(description)),
      fillRandom: (bytes) => {
        parts.fillRandom(bytes);
        this.effect({ kind: 'random', bytes: bytes.slice() });
      },
    };
  }

  /** The same function, recorded. */
  recordFunction({
    name,
    bdf,
    function: recorded,
  }: TracedFunction & { readonly function: PciFunction }): PciFunction {
    this.#functions.push({ name, bdf });
    return new RecordedFunction(recorded, this.#functions.length - 1, this, this.#known);
  }

  /** Writes the header. */
  start(): void {
    const { title, versions, machine, write } = this.#options;
    this.#started = performance.now();
    const header = {
      title,
      startedAt: new Date().toISOString(),
      versions,
      machine,
      functions: this.#functions,
      disks: this.#disks,
      networks: this.#networks,
    };
    this.#encoder = new EventEncoder(header, write);
  }

  /** Hands out what is not written yet. */
  flush(): void {
    this.#encoder?.flush();
  }

  end(): void {
    this.#operation({ kind: 'end' });
    this.flush();
  }

  perform<V>(operation: OperationToRecord, act: () => V): V {
    this.#operation(operation);
    this.isBusy = true;
    try {
      return act();
    } finally {
      this.isBusy = false;
    }
  }

  performReading(read: () => number, operationOf: (value: number) => OperationToRecord): number {
    const deferred: TraceEffect[] = [];
    this.#deferred = deferred;
    this.isBusy = true;
    try {
      const value = read();
      this.#operation(operationOf(value));
      for (const effect of deferred) this.#encode(effect);
      return value;
    } finally {
      this.#deferred = undefined;
      this.isBusy = false;
    }
  }

  effect(effect: TraceEffect): void {
    if (this.#deferred !== undefined) this.#deferred.push(effect);
    else this.#encode(effect);
  }

  #operation(operation: OperationToRecord): void {
    const now = Math.round((performance.now() - this.#started) * 1000);
    // Fields of an operation without its time, and the time, are an operation: the compiler cannot see it.
    const timed = { ...operation, time: now - this.#time } as TraceOperation;
    this.#time = now;
    this.#encode(timed);
  }

  #encode(event: TraceOperation | TraceEffect): void {
    if (this.#encoder === undefined) {
      throw new VirtioError(
        'TRACE_NOT_STARTED',
        'a recorded function is used before the recorder was started: call start() first',
      );
    }
    this.#encoder.encode(event);
  }

  #recordDisk(disk: MachineDisk): MachineDisk {
    const index = this.#disks.length;
    const content = this.#options.contentOf?.(index) ?? { kind: 'zeros' };
    this.#disks.push({ size: disk.size, readOnly: disk.readOnly, content });
    return new RecordedDisk(disk, index, content, this);
  }

  #recordNetwork(network: MachineNetwork): MachineNetwork {
    const index = this.#networks.length;
    this.#networks.push({ largestFrame: network.largestFrame });
    return new RecordedNetwork(network, index, this);
  }
}
