/** QueueWatch: sees the queues of one device: how they stand, and how long buffers take. */
import type { QueueObserver, QueueSource } from '@viommu/virtqueue/device';
import { BufferTimes } from './buffer-times.ts';
import type { Moment, QueueLatency, WatchedQueue } from './inspector-messages.ts';
import { namedQueue, type QueueOwnerKind } from './queue-names.ts';

/** What time it is. */
export interface WatchClock {
  readonly now: Moment;
  /** Microseconds since the beginning, of a clock that goes on within an operation; undefined where none does. */
  readonly microseconds: (() => number) | undefined;
}

export class QueueWatch implements QueueObserver {
  readonly #device: string;
  readonly #kind: QueueOwnerKind;
  readonly #clock: WatchClock;
  #source: QueueSource | undefined;
  readonly #times: BufferTimes[] = [];
  /** What was told of each queue the last time, as text, and how many buffers it had used then. */
  readonly #told: string[] = [];
  readonly #usedTold: number[] = [];

  constructor(device: string, kind: QueueOwnerKind, clock: WatchClock) {
    this.#device = device;
    this.#kind = kind;
    this.#clock = clock;
  }

  attached(source: QueueSource): void {
    this.#source = source;
    for (const queue of source.queueStates().keys()) {
      this.#times.push(new BufferTimes(namedQueue(this.#kind, queue).isFilledAhead));
    }
  }

  started(queue: number, size: number): void {
    this.#times[queue]!.start(size);
  }

  kicked(queue: number): void {
    this.#times[queue]!.kick(this.#time());
  }

  taken(queue: number, head: number): void {
    this.#times[queue]!.take(head, this.#time(), this.#clock.now.operation);
  }

  ranEmpty(queue: number): void {
    this.#times[queue]!.ranEmpty();
  }

  used(queue: number, head: number): void {
    const { now, microseconds } = this.#clock;
    this.#times[queue]!.use(head, this.#time(), now.operation, microseconds !== undefined);
  }

  /** The queues that stand otherwise than the last time, or all. */
  takeQueues(all: boolean): WatchedQueue[] {
    const states = this.#source?.queueStates() ?? [];
    return states.flatMap((state, queue) => {
      const { name } = namedQueue(this.#kind, queue);
      const watched = { device: this.#device, queue, name, ...state };
      const text = JSON.stringify(watched);
      if (!all && text === this.#told[queue]) return [];
      this.#told[queue] = text;
      return [watched];
    });
  }

  /** Of queues that have used buffers since the last time, or of all that have used any. */
  takeLatency(all: boolean): QueueLatency[] {
    return this.#times.flatMap((times, queue) => {
      const told = all ? 0 : (this.#usedTold[queue] ?? 0);
      if (times.used === told) return [];
      this.#usedTold[queue] = times.used;
      return [{ device: this.#device, queue, ...times.latency() }];
    });
  }

  #time(): number {
    return this.#clock.microseconds?.() ?? this.#clock.now.time;
  }
}
