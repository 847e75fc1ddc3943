/** GuestSession: the guest that runs in a worker of the page: its terminal, what is done to it, and what it is seen to do. */
import { ToldSource } from '../live/told-source.ts';
import { frameDrawn } from '../page/frames.ts';
import { FrameTurns } from './frame-turns.ts';
import type { GuestCommand, GuestReport } from './guest-messages.ts';

export type GuestState =
  | { readonly kind: 'loading'; readonly bytes: number; readonly total: number }
  /** It cannot be had: its parts are not beside the page. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'running'; readonly kernelRelease: string }
  | { readonly kind: 'failed'; readonly message: string };

export class GuestSession {
  state: GuestState = { kind: 'loading', bytes: 0, total: 0 };
  /** Whether devices take no buffers. */
  isHeld = false;
  /** Whether the IOMMU takes no more than some mappings. */
  isLimited = false;
  readonly live: ToldSource;
  /** Called when one of the first three has changed. */
  onChange: () => void = () => {};
  readonly #worker: Worker;
  readonly #turns = new FrameTurns();
  #onConsole: (bytes: Uint8Array) => void = () => {};

  /** @param worker speaks the contract of `guest-messages.ts` */
  constructor(worker: Worker) {
    this.#worker = worker;
    this.live = new ToldSource((query) => this.#send({ kind: 'walk', query }));
    worker.onmessage = ({ data }: MessageEvent<GuestReport>) => this.#take(data);
    worker.onerror = ({ message }) => this.fail(message);
  }

  /**
   * Once.
   * @param onConsole told bytes of the serial port
   */
  boot(onConsole: (bytes: Uint8Array) => void): void {
    this.#onConsole = onConsole;
    this.#send({ kind: 'boot' });
  }

  type(text: string): void {
    this.#send({ kind: 'type', text });
  }

  stray(iommu: number, endpoint: number): void {
    this.#send({ kind: 'stray', iommu, endpoint });
  }

  /** @param mappings that may come to those that are there; undefined for as many as ever */
  limit(mappings: number | undefined): void {
    this.isLimited = mappings !== undefined;
    this.#send({ kind: 'limit', mappings });
    this.onChange();
  }

  hold(isHeld: boolean): void {
    this.#send({ kind: 'hold', isHeld });
  }

  stepDma(): void {
    this.#send({ kind: 'stepDma' });
  }

  /** Something that it cannot be without is not there. */
  fail(message: string): void {
    this.state = { kind: 'failed', message };
    this.live.end('the guest has failed');
    this.onChange();
  }

  close(): void {
    this.#worker.terminate();
    // What waits for a frame still comes, and is nobody's any more.
    this.#onConsole = () => {};
    this.onChange = () => {};
    this.live.onChange = () => {};
  }

  #send(command: GuestCommand): void {
    this.#worker.postMessage(command);
  }

  #take(report: GuestReport): void {
    switch (report.kind) {
      case 'loading':
        this.state = report;
        break;
      case 'missing':
        this.state = report;
        this.live.end('there is no guest');
        break;
      case 'booting':
        this.state = { kind: 'running', kernelRelease: report.kernelRelease };
        break;
      case 'console':
        this.#turns.take('terminal', () => this.#onConsole(report.bytes));
        return;
      case 'update':
        // In the frame: whoever draws between two waits for the first to end as soon as it asks where something is.
        this.#turns.take('page', () => {
          requestAnimationFrame(() => {
            this.isHeld = report.isHeld;
            this.live.take(report.update);
            if (report.walk !== undefined) this.live.take(report.walk);
            this.onChange();
          });
          frameDrawn().then(() => this.#send({ kind: 'drawn' }));
        });
        return;
      case 'failed':
        this.fail(report.message);
        return;
    }
    this.onChange();
  }
}
