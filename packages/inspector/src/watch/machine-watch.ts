/** MachineWatch: sees what the IOMMUs of a machine do, keeps the latest of it, and says what has changed. */
import {
  type IommuObserver,
  joinObservers,
  type RequestRecord,
  VIRTIO_IOMMU_MAP_F_WRITE,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_UNMAP,
} from '@viommu/iommu-core';
import {
  iommuSocketName,
  type Machine,
  type MachineDescription,
  type PassThroughObserver,
  socketNames,
} from '@viommu/machine';
import type { QueueObserver } from '@viommu/virtqueue/device';
import { addressField } from '../requests/request-layout.ts';
import { AccessRing } from './access-ring.ts';
import { DomainWatch } from './domain-watch.ts';
import type {
  DomainChange,
  InspectorUpdate,
  Moment,
  WatchedFault,
  WatchedRequest,
} from './inspector-messages.ts';
import { type PassThroughWatch, watchPassThrough } from './pass-through-watch.ts';
import type { QueueOwnerKind } from './queue-names.ts';
import { QueueWatch, type WatchClock } from './queue-watch.ts';
import { RecentLog } from './recent-log.ts';
import { StepCounter } from './step-counter.ts';
import { TrafficCounter } from './traffic-counter.ts';
import { watchedTopology } from './watched-topology.ts';

const REQUESTS_KEPT = 10_000;
const FAULTS_KEPT = 1_000;
/** When more has changed than this since somebody looked, the devices are asked what there is. */
const CHANGES_MAX = 10_000;

export interface MachineWatchOptions {
  /**
   * Of a machine at work: microseconds since the beginning, of a clock that goes on while a device works; it is not asked before
   * something happens. Without it time is what {@link MachineWatch.now} says, and how long a device works on a buffer is not known.
   */
  readonly microseconds?: () => number;
}

/** In this order: `observe`, `observeQueues` and `passThroughObserver` go into the options of createMachine, the machine into {@link begin}. */
export class MachineWatch implements WatchClock {
  /** When what comes next happens; set by whoever drives the machine, unless there is a clock. */
  now: Moment = { time: 0, operation: 0 };
  readonly microseconds: (() => number) | undefined;
  readonly #description: MachineDescription;
  /** `now` by the clock: one object, as it goes on with each access. */
  readonly #clocked = { time: 0, operation: 0 };
  #hasBegun = false;
  readonly #domainWatches: readonly DomainWatch[];
  #isEnded = false;
  readonly #requests = new RecentLog<WatchedRequest>(REQUESTS_KEPT);
  readonly #faults = new RecentLog<WatchedFault>(FAULTS_KEPT);
  readonly #accesses = new AccessRing();
  #requestsTaken = 0;
  #faultsTaken = 0;
  #changes: DomainChange[] = [];
  #changesOverflowed = false;
  /** By IOMMU and endpoint. */
  readonly #traffic: Map<number, TrafficCounter>[];
  readonly #domains: Map<number, number>[];
  readonly #queues: QueueWatch[] = [];
  readonly #steps = new StepCounter();
  readonly #passThrough: PassThroughWatch;

  constructor(description: MachineDescription, options: MachineWatchOptions = {}) {
    this.#description = description;
    this.microseconds = options.microseconds;
    if (this.microseconds !== undefined) this.now = this.#clocked;
    this.#passThrough = watchPassThrough(description, (step) => this.#steps.add(this.now, step));
    this.#domains = description.iommus.map(() => new Map());
    this.#domainWatches = description.iommus.map((_, iommu) => new DomainWatch(iommu));
    this.#traffic = description.iommus.map(
      (_, index) =>
        new Map(
          description.devices
            .filter(({ iommu }) => iommu === index)
            .map(({ endpoint }) => [endpoint, new TrafficCounter(index, endpoint)]),
        ),
    );
  }

  readonly observe = (iommu: number): IommuObserver =>
    joinObservers([
      ...(this.microseconds === undefined ? [] : [this.#clock]),
      this.#passThrough.observe(iommu),
      this.#domainWatches[iommu]!.observer,
      this.#observe(iommu),
    ]);

  get passThroughObserver(): PassThroughObserver {
    const { hostMapped, started } = this.#passThrough.host;
    return {
      hostMapped: (...run) => {
        this.#tick();
        hostMapped?.(...run);
      },
      started: (...copy) => {
        this.#tick();
        started?.(...copy);
      },
    };
  }

  readonly #tick = (): void => {
    if (this.microseconds === undefined) return;
    this.#hasBegun = true;
    this.#clocked.time = this.microseconds();
  };

  readonly #clock: IommuObserver = {
    request: this.#tick,
    attached: this.#tick,
    detached: this.#tick,
    translated: this.#tick,
    fault: this.#tick,
  };

  readonly #observe = (iommu: number): IommuObserver => ({
    request: (record) => this.#request(iommu, record),
    attached: (endpoint, domain, bypass) => {
      this.#domains[iommu]!.set(endpoint, domain);
      this.#changed({ kind: 'attached', iommu, domain, endpoint, bypass });
    },
    detached: (endpoint, domain) => {
      this.#domains[iommu]!.delete(endpoint);
      this.#changed({ kind: 'detached', iommu, domain, endpoint });
    },
    translated: (endpoint, address, length, access, physical, bypass) => {
      const { time } = this.now;
      const domain = bypass ? undefined : this.#domains[iommu]!.get(endpoint);
      const isWrite = access === VIRTIO_IOMMU_MAP_F_WRITE;
      this.#accesses.push(time, iommu, endpoint, domain, address, length, access, physical);
      this.#traffic[iommu]!.get(endpoint)?.add(time, length, isWrite);
    },
    fault: (endpoint, reason, access, address, delivered) => {
      const domain = this.#domains[iommu]!.get(endpoint);
      const what = { iommu, endpoint, domain, reason, access, address, delivered };
      this.#faults.push({ ...this.now, sequence: this.#faults.count, ...what });
      this.#traffic[iommu]!.get(endpoint)?.addFault();
    },
  });

  /** @param name of an IOMMU or a device of the machine */
  readonly observeQueues = (name: string): QueueObserver => {
    const watch = new QueueWatch(name, kindOf(this.#description, name), this);
    this.#queues.push(watch);
    return watch;
  };

  /** @param machine the one that `observe` was given to; it is asked for its domains whenever all of them are needed */
  begin(machine: Pick<Machine, 'iommus'>): void {
    for (const [index, { device }] of machine.iommus.entries())
      this.#domainWatches[index]!.device = device;
  }

  /** The machine has ended. From here on the domains are those before a reset that nothing was attached after: how it was used last. */
  end(): void {
    this.#isEnded = true;
  }

  /** What has changed since the last call of this or of {@link takeAll}. */
  take(): InspectorUpdate {
    return this.#take(false);
  }

  /** All that there is, for somebody who begins to watch. */
  takeAll(): InspectorUpdate {
    return { topology: watchedTopology(this.#description), ...this.#take(true) };
  }

  #take(all: boolean): InspectorUpdate {
    if (this.#hasBegun) this.#tick();
    const isWhole = all || this.#changesOverflowed || this.#isEnded;
    const changes = isWhole ? [] : this.#changes;
    const update = {
      ...this.now,
      ...(isWhole ? this.#allDomains() : {}),
      changes,
      requests: this.#requests.since(all ? 0 : this.#requestsTaken),
      faults: this.#faults.since(all ? 0 : this.#faultsTaken),
      accesses: this.#accesses.take(all),
      traffic: this.#traffic.flatMap((counters) =>
        [...counters.values()].flatMap((counter) => counter.take(all) ?? []),
      ),
      queues: this.#queues.flatMap((one) => one.takeQueues(all)),
      latency: this.#queues.flatMap((one) => one.takeLatency(all)),
      steps: this.#steps.take(all),
    };
    this.#changes = [];
    this.#changesOverflowed = false;
    this.#requestsTaken = this.#requests.count;
    this.#faultsTaken = this.#faults.count;
    return update;
  }

  #request(iommu: number, record: RequestRecord): void {
    const { type, status, bytes, length, writableLength, usedLength } = record;
    this.#requests.push({
      ...this.now,
      sequence: this.#requests.count,
      iommu,
      type,
      status,
      bytes: bytes.slice(0, length),
      writableLength,
      usedLength,
    });
    if (status !== VIRTIO_IOMMU_S_OK) return;
    if (type !== VIRTIO_IOMMU_T_MAP && type !== VIRTIO_IOMMU_T_UNMAP) return;
    const range = {
      iommu,
      domain: addressField(record, 'domain'),
      virtStart: addressField(record, 'virt_start'),
      virtEnd: addressField(record, 'virt_end'),
    };
    if (type === VIRTIO_IOMMU_T_UNMAP) {
      this.#changed({ kind: 'unmapped', ...range });
      return;
    }
    const physStart = addressField(record, 'phys_start');
    const flags = addressField(record, 'flags');
    this.#changed({ kind: 'mapped', ...range, physStart, flags });
  }

  #changed(change: DomainChange): void {
    if (this.#changesOverflowed) return;
    this.#changes.push(change);
    if (this.#changes.length <= CHANGES_MAX) return;
    this.#changes = [];
    this.#changesOverflowed = true;
  }

  #allDomains(): Pick<InspectorUpdate, 'domains' | 'isBeforeReset'> {
    const before = this.#isEnded
      ? this.#domainWatches.flatMap(({ beforeReset }) => beforeReset)
      : [];
    const domains = [...this.#domainWatches.flatMap((one) => one.domains()), ...before];
    return { domains, isBeforeReset: before.length > 0 };
  }
}

function kindOf(description: MachineDescription, name: string): QueueOwnerKind {
  if (description.iommus.some((_, index) => iommuSocketName(index) === name)) return 'iommu';
  return description.devices[socketNames(description).indexOf(name)]!.kind;
}
