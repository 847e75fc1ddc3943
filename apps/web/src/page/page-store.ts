/** PageStore: what the page knows and what is chosen on it; views read it, and are drawn again when it changes. */
import {
  type DomainView,
  MachineView,
  type TranslationWalk,
  type WatchedEndpoint,
  type WatchedRequest,
} from '@viommu/inspector';
import { VIRTIO_IOMMU_MAP_F_READ } from '@viommu/iommu-core';
import type { GuestSession } from '../guest/guest-session.ts';
import type { LiveSource } from '../live/live-source.ts';
import type {
  ReplayCommand,
  ReplayReport,
  StepWords,
  TraceSummary,
} from '../replay/replay-messages.ts';
import { AskedWalk } from './asked-walk.ts';
import { JumpQueue } from './jump-queue.ts';
import { Listened } from './listened.ts';
import { nextAmong } from './numbers.ts';
import type { Shipped } from './trace-index.ts';

/** A place in a domain's address space, that a link or a click leads to. */
export interface ChosenAddress {
  readonly address: number;
  /** Whether the map must come to show it. */
  readonly reveal: boolean;
}

export interface DomainKey {
  readonly iommu: number;
  readonly domain: number;
}

export type EndpointKey = Pick<WatchedEndpoint, 'iommu' | 'endpoint'>;

export class PageStore extends Listened {
  view = new MachineView();
  trace: TraceSummary | undefined;
  /** There when a machine that runs is shown in the place of a trace: then nothing can be stepped or jumped to. */
  live: LiveSource | undefined;
  /** There when that machine's guest runs in this page. */
  guest: GuestSession | undefined;
  position = 0;
  isPlaying = false;
  speed = 1;
  step: StepWords | undefined;
  problem: string | undefined;
  isLoading = false;
  /** Counts the updates, for whoever keeps something made of the view. */
  version = 0;
  chosenDomain: DomainKey | undefined;
  chosenAddress: ChosenAddress | undefined;
  /** VIRTIO_IOMMU_MAP_F_READ or VIRTIO_IOMMU_MAP_F_WRITE: what would be done at the address. */
  chosenAccess = VIRTIO_IOMMU_MAP_F_READ;
  chosenEndpoint: EndpointKey | undefined;
  /** By its number. */
  chosenRequest: number | undefined;
  /** When the map has to find its own place again. */
  mapResets = 0;
  readonly #worker: Worker;
  readonly #startGuest: () => GuestSession;
  readonly #jumps = new JumpQueue((position) => this.send({ kind: 'jump', position }));
  readonly #walk = new AskedWalk((query) => {
    if (this.live !== undefined) this.live.ask(query);
    else this.#worker.postMessage({ kind: 'walk', query } satisfies ReplayCommand);
  });

  /**
   * @param worker speaks the contract of `replay-messages.ts`
   * @param startGuest called when the guest is chosen
   */
  constructor(worker: Worker, startGuest: () => GuestSession) {
    super();
    this.#worker = worker;
    this.#startGuest = startGuest;
    worker.onmessage = ({ data }: MessageEvent<ReplayReport>) => this.#report(data);
    worker.onerror = ({ message }) => this.fail(message);
  }

  open(shipped: Shipped, position?: number): void {
    if ('isGuest' in shipped) {
      this.bootGuest();
      return;
    }
    this.#begin();
    const place = position === undefined ? {} : { position };
    if ('url' in shipped) this.send({ kind: 'open', url: shipped.url, ...place });
    else this.send({ kind: 'openScenario', scenario: shipped.scenario, ...place });
  }

  /** A fresh one in the place of what is shown. */
  bootGuest(): void {
    this.#begin();
    this.send({ kind: 'pause' });
    const guest = this.#startGuest();
    guest.onChange = () => this.changed();
    this.guest = guest;
    this.follow(guest.live);
  }

  openFile(file: Blob): void {
    this.#begin();
    this.send({ kind: 'openFile', file });
  }

  /** Shows a machine that runs. */
  follow(live: LiveSource): void {
    this.live = live;
    live.onChange = () => this.#followed(live);
    this.#followed(live);
  }

  play(): void {
    if (this.live !== undefined) {
      this.live.resume();
      return;
    }
    if (this.position >= (this.trace?.operations ?? 0)) this.jump(this.trace?.requests[0] ?? 0);
    this.isPlaying = true;
    this.send({ kind: 'play', speed: this.speed });
  }

  pause(): void {
    if (this.live !== undefined) {
      this.live.pause();
      return;
    }
    this.send({ kind: 'pause' });
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    if (this.isPlaying) this.send({ kind: 'play', speed });
    this.changed();
  }

  stepOne(): void {
    this.send({ kind: 'step' });
  }

  jump(position: number): void {
    this.#jumps.ask(position);
  }

  /** To behind the next one of these operations, or the last one before. */
  jumpAmong(operations: readonly number[], direction: 1 | -1): void {
    const found = nextAmong(operations, this.position - 1, direction);
    if (found !== undefined) this.jump(found + 1);
  }

  chooseDomain(domain: DomainKey): void {
    this.chosenDomain = domain;
    this.chosenAddress = undefined;
    this.chosenEndpoint = undefined;
    this.mapResets += 1;
    this.changed();
  }

  /** @param domain as it was before when not given */
  chooseAddress(domain: DomainKey | undefined, address: number, reveal: boolean): void {
    if (domain !== undefined && !this.#isShown(domain)) this.chosenEndpoint = undefined;
    this.chosenDomain = domain ?? this.chosenDomain;
    this.chosenAddress = { address, reveal };
    this.#askWalk();
    this.changed();
  }

  chooseAccess(access: number): void {
    this.chosenAccess = access;
    this.#askWalk();
    this.changed();
  }

  /** Whose access is walked through. The domain that it is in is shown. */
  chooseEndpoint(chosen: EndpointKey): void {
    const { iommu, endpoint } = chosen;
    const domain = this.view.domains.find(
      (one) => one.iommu === iommu && one.endpoints.has(endpoint),
    );
    if (domain !== undefined && !this.#isShown(domain)) {
      this.chosenDomain = domain;
      this.mapResets += 1;
    }
    this.chosenEndpoint = chosen;
    this.#askWalk();
    this.changed();
  }

  chooseRequest(request: WatchedRequest | undefined): void {
    this.chosenRequest = request?.sequence;
    this.changed();
  }

  /** The one that is chosen; of those that are there, the one with most mappings when none is. */
  get domain(): DomainView | undefined {
    const { chosenDomain, view } = this;
    if (chosenDomain !== undefined) {
      return view.domain(chosenDomain.iommu, chosenDomain.domain);
    }
    return view.domains.reduce<DomainView | undefined>(
      (most, one) => (most === undefined || one.mappings.count > most.mappings.count ? one : most),
      undefined,
    );
  }

  /** Of the address that is chosen; none before the answer is there, nor when a machine that ran is asked no more. */
  get walk(): TranslationWalk | undefined {
    return this.#walk.walk;
  }

  /** The one that is chosen, or else the first one in the domain that is shown, or of all. */
  get endpoint(): EndpointKey | undefined {
    const { domain, chosenEndpoint, view } = this;
    if (chosenEndpoint !== undefined) return chosenEndpoint;
    const [first] = domain?.endpoints ?? [];
    return domain !== undefined && first !== undefined
      ? { iommu: domain.iommu, endpoint: first }
      : view.topology.endpoints[0];
  }

  send(command: ReplayCommand): void {
    this.problem = undefined;
    this.#jumps.forget();
    this.#worker.postMessage(command);
  }

  fail(message: string): void {
    this.#report({ kind: 'failed', message });
  }

  #isShown({ iommu, domain }: DomainKey): boolean {
    return this.domain?.iommu === iommu && this.domain.domain === domain;
  }

  #askWalk(): void {
    const { endpoint, chosenAddress, chosenAccess: access } = this;
    if (endpoint === undefined || chosenAddress === undefined) return;
    const { address } = chosenAddress;
    this.#walk.ask({ iommu: endpoint.iommu, endpoint: endpoint.endpoint, access, address });
  }

  #begin(): void {
    this.guest?.close();
    this.guest = undefined;
    this.live = undefined;
    this.view = new MachineView();
    this.trace = undefined;
    this.step = undefined;
    this.position = 0;
    this.isPlaying = false;
    this.isLoading = true;
    this.chosenDomain = undefined;
    this.chosenAddress = undefined;
    this.chosenEndpoint = undefined;
    this.#walk.forget();
    this.chosenRequest = undefined;
    this.mapResets += 1;
    this.version += 1;
    this.changed();
  }

  #followed({ state, isPaused, view, walk }: LiveSource): void {
    this.view = view;
    this.#walk.take(walk);
    this.#askWalk();
    this.isLoading = state.kind === 'connecting';
    this.isPlaying = !isPaused;
    this.version += 1;
    this.changed();
  }

  #report(report: ReplayReport): void {
    // What was played before a machine that runs is shown no more.
    if (this.live !== undefined && report.kind !== 'failed') return;
    switch (report.kind) {
      case 'opened':
        this.trace = report.trace;
        this.isLoading = false;
        break;
      case 'moved':
        this.position = report.position;
        this.isPlaying = report.isPlaying;
        this.step = report.step;
        this.view.apply(report.update);
        this.#walk.take(report.walk);
        this.#askWalk();
        this.version += 1;
        this.#jumps.done();
        break;
      case 'failed':
        this.#jumps.forget();
        this.problem = report.message;
        this.isLoading = false;
        this.isPlaying = false;
    }
    this.changed();
  }
}
