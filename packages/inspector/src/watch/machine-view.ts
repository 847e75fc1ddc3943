/** MachineView: what somebody who watches a machine knows of it, put together from the updates of a MachineWatch. */
import type {
  DomainChange,
  EndpointTraffic,
  InspectorUpdate,
  Moment,
  QueueLatency,
  WatchedAccess,
  WatchedFault,
  WatchedMapping,
  WatchedQueue,
  WatchedRequest,
  WatchedStep,
  WatchedTopology,
} from './inspector-messages.ts';
import { SortedMappings } from './sorted-mappings.ts';

const REQUESTS_KEPT = 10_000;
const FAULTS_KEPT = 1_000;
const ACCESSES_KEPT = 2_048;
/** Numbers of each mapping in a whole domain. */
const MAPPING_FIELDS = 4;

export interface DomainView {
  readonly iommu: number;
  readonly domain: number;
  readonly bypass: boolean;
  /** In the order in which they were attached. */
  readonly endpoints: Set<number>;
  readonly mappings: SortedMappings;
}

export class MachineView {
  topology: WatchedTopology = { iommus: [], endpoints: [] };
  now: Moment = { time: 0, operation: 0 };
  /** Whether some of the domains are those of before an IOMMU was reset, by a guest that has ended. */
  isBeforeReset = false;
  requests: readonly WatchedRequest[] = [];
  faults: readonly WatchedFault[] = [];
  accesses: readonly WatchedAccess[] = [];
  readonly #domains = new Map<string, DomainView>();
  readonly #traffic = new Map<string, EndpointTraffic>();
  readonly #queues = new Map<string, WatchedQueue>();
  readonly #latency = new Map<string, QueueLatency>();
  readonly #steps = new Map<string, WatchedStep>();

  get domains(): readonly DomainView[] {
    return [...this.#domains.values()];
  }

  get traffic(): readonly EndpointTraffic[] {
    return [...this.#traffic.values()];
  }

  /** Those of the IOMMUs first, as far as they are watched. */
  get queues(): readonly WatchedQueue[] {
    return [...this.#queues.values()];
  }

  /** Of the queues that have used buffers, in the same order. */
  get latency(): readonly QueueLatency[] {
    return this.queues.flatMap(({ device, queue }) => this.latencyOf(device, queue) ?? []);
  }

  /** In the order in which they were seen first. */
  get steps(): readonly WatchedStep[] {
    return [...this.#steps.values()];
  }

  latencyOf(device: string, queue: number): QueueLatency | undefined {
    return this.#latency.get(keyOf(device, queue));
  }

  domain(iommu: number, domain: number): DomainView | undefined {
    return this.#domains.get(keyOf(iommu, domain));
  }

  /** Another one that knows the same, and goes its own way from here on. What is told is never changed, so both share it. */
  copy(): MachineView {
    const copy = new MachineView();
    copy.topology = this.topology;
    copy.now = this.now;
    copy.isBeforeReset = this.isBeforeReset;
    copy.requests = this.requests;
    copy.faults = this.faults;
    copy.accesses = this.accesses;
    for (const [key, domain] of this.#domains) {
      const endpoints = new Set(domain.endpoints);
      copy.#domains.set(key, { ...domain, endpoints, mappings: domain.mappings.copy() });
    }
    for (const [key, traffic] of this.#traffic) copy.#traffic.set(key, traffic);
    for (const [key, queue] of this.#queues) copy.#queues.set(key, queue);
    for (const [key, latency] of this.#latency) copy.#latency.set(key, latency);
    for (const [key, step] of this.#steps) copy.#steps.set(key, step);
    return copy;
  }

  apply(update: InspectorUpdate): void {
    if (update.topology !== undefined) this.#forget(update.topology);
    const { time, operation } = update;
    this.now = { time, operation };
    if (update.domains !== undefined) {
      this.isBeforeReset = update.isBeforeReset === true;
      this.#domains.clear();
      for (const { iommu, domain, bypass, endpoints, mappings } of update.domains) {
        this.#domains.set(keyOf(iommu, domain), {
          iommu,
          domain,
          bypass,
          endpoints: new Set(endpoints),
          mappings: new SortedMappings(listOf(mappings)),
        });
      }
    }
    for (const change of update.changes) this.#change(change);
    this.requests = latest(this.requests, update.requests, REQUESTS_KEPT);
    this.faults = latest(this.faults, update.faults, FAULTS_KEPT);
    this.accesses = latest(this.accesses, update.accesses, ACCESSES_KEPT);
    for (const one of update.traffic) this.#traffic.set(keyOf(one.iommu, one.endpoint), one);
    for (const one of update.queues) this.#queues.set(keyOf(one.device, one.queue), one);
    for (const one of update.latency) this.#latency.set(keyOf(one.device, one.queue), one);
    for (const one of update.steps) this.#steps.set(one.latest.type, one);
  }

  #forget(topology: WatchedTopology): void {
    this.topology = topology;
    this.requests = [];
    this.faults = [];
    this.accesses = [];
    this.#domains.clear();
    this.#traffic.clear();
    this.#queues.clear();
    this.#latency.clear();
    this.#steps.clear();
  }

  #change(change: DomainChange): void {
    const { iommu, domain } = change;
    const key = keyOf(iommu, domain);
    const view = this.#domains.get(key);
    switch (change.kind) {
      case 'attached': {
        const { bypass, endpoint } = change;
        if (view !== undefined) view.endpoints.add(endpoint);
        else {
          const endpoints = new Set([endpoint]);
          const mappings = new SortedMappings();
          this.#domains.set(key, { iommu, domain, bypass, endpoints, mappings });
        }
        return;
      }
      case 'detached':
        view?.endpoints.delete(change.endpoint);
        if (view?.endpoints.size === 0) this.#domains.delete(key);
        return;
      case 'mapped': {
        const { virtStart, virtEnd, physStart, flags } = change;
        view?.mappings.insert({ virtStart, virtEnd, physStart, flags });
        return;
      }
      case 'unmapped':
        view?.mappings.remove(change.virtStart, change.virtEnd);
    }
  }
}

function listOf(mappings: readonly number[]): WatchedMapping[] {
  return Array.from({ length: mappings.length / MAPPING_FIELDS }, (_, index) => {
    const at = index * MAPPING_FIELDS;
    return {
      virtStart: mappings[at]!,
      virtEnd: mappings[at + 1]!,
      physStart: mappings[at + 2]!,
      flags: mappings[at + 3]!,
    };
  });
}

/** @param owner IOMMU or device that has something of that number */
function keyOf(owner: number | string, id: number): string {
  return `${owner}:${id}`;
}

function latest<T>(known: readonly T[], added: readonly T[], kept: number): readonly T[] {
  return added.length === 0 ? known : [...known, ...added].slice(-kept);
}
