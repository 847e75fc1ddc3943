/**
 * PageFeed: watches the machine for those who look at it in a page. It is one of the sources of the server's thread, tells what is
 * new at most 10 times a second, and only when the main thread has asked for it since: so nothing piles up on the way to a page that is slow.
 */
import { answerWalk, MachineWatch } from '@viommu/inspector';
import type { IommuObserver } from '@viommu/iommu-core';
import type { Machine, MachineDescription, PassThroughObserver } from '@viommu/machine';
import type { PollSource } from '@viommu/vfio-user';
import type { QueueObserver } from '@viommu/virtqueue/device';
import type { WatchedMessage } from './server-messages.ts';
import { WANTS_CHANGES, WANTS_WHOLE, type WatchBoard } from './watch-board.ts';

/** Milliseconds. */
const INTERVAL = 100;
/** Of the thread's time. To tell of 100,000 mappings takes 80 ms. */
const LARGEST_PART = 1 / 5;

/** In this order: `observe`, `observeQueues` and `passThroughObserver` for the machine, `open` with it, `finish`. */
export class PageFeed implements PollSource {
  readonly fd = -1;
  readonly #watch: MachineWatch;
  readonly #board: WatchBoard;
  readonly #post: (message: WatchedMessage) => void;
  #machine!: Machine;
  /** When the first thing happened; a server may wait for its guest for hours. */
  #began: number | undefined;
  #nextLook = 0;

  /** @param board on which the main thread asks */
  constructor(
    description: MachineDescription,
    board: WatchBoard,
    post: (message: WatchedMessage) => void,
  ) {
    this.#watch = new MachineWatch(description, { microseconds: () => this.#microseconds() });
    this.#board = board;
    this.#post = post;
  }

  readonly observe = (iommu: number): IommuObserver => this.#watch.observe(iommu);

  readonly observeQueues = (name: string): QueueObserver => this.#watch.observeQueues(name);

  get passThroughObserver(): PassThroughObserver {
    return this.#watch.passThroughObserver;
  }

  open(machine: Machine): void {
    this.#machine = machine;
    this.#watch.begin(machine);
  }

  wantsRead(): boolean {
    return false;
  }

  wantsWrite(): boolean {
    return false;
  }

  ready(): void {}

  work(): number {
    const started = performance.now();
    if (started < this.#nextLook) return Math.ceil(this.#nextLook - started);
    const wanted = this.#board.takeWants();
    if (wanted !== 0) this.#tell(wanted);
    const ended = performance.now();
    const pause = Math.max(INTERVAL, (ended - started) / LARGEST_PART);
    this.#nextLook = ended + pause;
    return Math.ceil(pause);
  }

  /** Tells how it ends, whoever has asked. */
  finish(): void {
    this.#watch.end();
    this.#tell(WANTS_CHANGES | WANTS_WHOLE);
  }

  #tell(wanted: number): void {
    // The changes come first: both end at this moment, and the watch counts from here on.
    const changes = (wanted & WANTS_CHANGES) === 0 ? undefined : this.#watch.take();
    const whole = (wanted & WANTS_WHOLE) === 0 ? undefined : this.#watch.takeAll();
    const walks = this.#board.queries().map((query) => query && answerWalk(this.#machine, query));
    this.#post({ type: 'watched', changes, whole, walks });
  }

  #microseconds(): number {
    const now = performance.now();
    this.#began ??= now;
    return Math.round((now - this.#began) * 1000);
  }
}
