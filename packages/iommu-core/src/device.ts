/** VirtioIommuDevice: the virtio-iommu, whatever transport drives it; wiring only. */
import { type GuestMemory, silentLogger, VirtioError } from '@viommu/virtqueue';
import type { AccessWidth, DeviceContext, VirtioDevice } from '@viommu/virtqueue/device';
import type { RestoredDriver, SnapshotReader } from '@viommu/virtqueue/snapshot';
import type { DomainMappings } from './backend.ts';
import { IommuCounters } from './counters.ts';
import { DmaGate } from './dma/dma-gate.ts';
import { EndpointMemory } from './dma/endpoint-memory.ts';
import { EVENT_QUEUE_SIZE, EventQueue } from './event-queue.ts';
import { GuardedBackend } from './guarded-backend.ts';
import type { MappingTable } from './mappings/mapping-table.ts';
import {
  checkMaxMappings,
  chooseLimits,
  choosePageSizeMask,
  choosePollMicroseconds,
  type EndpointOptions,
  makeEndpoint,
  type VirtioIommuOptions,
} from './options.ts';
import { checkConfigExtension } from './protocol/config-extension.ts';
import { ConfigSpace } from './protocol/config-space.ts';
import {
  DEVICE_FEATURES_MASK,
  VIRTIO_ID_IOMMU,
  VIRTIO_IOMMU_F_BYPASS_CONFIG,
  VIRTIO_IOMMU_F_DOMAIN_RANGE,
  VIRTIO_IOMMU_F_INPUT_RANGE,
  VIRTIO_IOMMU_F_MAP_UNMAP,
  VIRTIO_IOMMU_F_MMIO,
  VIRTIO_IOMMU_F_PROBE,
  VIRTIO_IOMMU_REQUEST_QUEUE,
} from './protocol/constants.ts';
import { CONFIG_BYPASS } from './protocol/layout.ts';
import { REQUEST_QUEUE_SIZE, RequestQueue } from './request-queue.ts';
import { type IommuSnapshot, prepareSnapshot, takeSnapshot } from './snapshot/iommu-snapshot.ts';
import { type Attachment, attachmentsOf } from './state/attachment.ts';
import type { EndpointCounters } from './state/domain.ts';
import { IommuState } from './state/iommu-state.ts';

/**
 * One virtio-iommu device ("IOMMU device"). It does not itself translate what it reads and writes of its own queues, so
 * it offers no VIRTIO_F_ACCESS_PLATFORM.
 */
export class VirtioIommuDevice implements VirtioDevice {
  readonly deviceId = VIRTIO_ID_IOMMU;
  readonly queueMaxSizes = [REQUEST_QUEUE_SIZE, EVENT_QUEUE_SIZE];
  readonly deviceFeatures: bigint;
  readonly configSize: number;
  /** What the driver asked so far, and what became of faults; live. */
  readonly counters = new IommuCounters();
  readonly #bootBypass: boolean;
  readonly #config: ConfigSpace;
  readonly #state: IommuState;
  readonly #requests: RequestQueue;
  readonly #events = new EventQueue();
  readonly #gate: DmaGate;
  #context: DeviceContext | undefined;

  /**
   * @throws VirtioError ENDPOINTS, RESERVED_REGION, PROBE_SIZE, PAGE_SIZE_MASK, INPUT_RANGE, DOMAIN_RANGE, MAX_MAPPINGS,
   * POLL_MICROSECONDS, TOPOLOGY or MMIO when an option makes no sense, and what the backend throws of an endpoint
   */
  constructor(options: VirtioIommuOptions) {
    const logger = options.logger ?? silentLogger;
    const backend = options.backend({ logger });
    const { capabilities } = backend;
    const pageSizeMask = choosePageSizeMask(options, capabilities);
    const limits = chooseLimits(options, capabilities, pageSizeMask);
    const mmio = options.mmio ?? capabilities.mmio;
    if (mmio && !capabilities.mmio) {
      throw new VirtioError(
        'MMIO',
        'This backend knows no MMIO mappings: leave out the option mmio',
      );
    }
    const { topology } = options;
    if (topology !== undefined) checkConfigExtension(topology);
    this.deviceFeatures = featureBits(mmio, topology === undefined ? [] : [topology.feature]);
    this.#bootBypass = options.bootBypass ?? true;
    this.#config = new ConfigSpace(pageSizeMask, limits, topology);
    this.configSize = this.#config.size;
    this.#state = new IommuState(
      limits,
      new GuardedBackend(backend, logger),
      this.#bootBypass,
      options.observer,
    );
    for (const endpoint of options.endpoints) {
      this.#addEndpoint(endpoint);
    }
    const { injector } = options;
    const pollMicroseconds = choosePollMicroseconds(options);
    this.#requests = new RequestQueue(this.#state, this.counters, pollMicroseconds, injector);
    this.#gate = new DmaGate(this.#state, backend, this.#events, this.counters, logger, injector);
  }

  /** Those of `bypass`, by the driver and by a system reset. */
  get silentConfigChanges(): number {
    return this.#state.bypassChanges;
  }

  readConfig(offset: number, width: AccessWidth): number {
    return this.#config.read(offset, width, this.#state.bypass);
  }

  /** "When the VIRTIO_IOMMU_F_BYPASS_CONFIG feature is negotiated, the driver MAY write to bypass." Only 0 and 1 count. */
  writeConfig(offset: number, _width: AccessWidth, value: number): void {
    const isBypass = offset === CONFIG_BYPASS && (value === 0 || value === 1);
    if (isBypass && this.#state.negotiated(VIRTIO_IOMMU_F_BYPASS_CONFIG)) {
      this.#state.setBypass(value === 1);
    }
  }

  acceptFeatures(driverFeatures: bigint): boolean {
    this.#state.driverFeatures = Number(driverFeatures & DEVICE_FEATURES_MASK);
    return true;
  }

  activate(context: DeviceContext): void {
    this.#state.driverFeatures = Number(context.driverFeatures & DEVICE_FEATURES_MASK);
    this.#state.setDriverUp(true);
    this.#context = context;
    this.#requests.activate(context);
    this.#events.activate(context);
  }

  /** Event buffers are looked for when there is an event, so a kick of their queue means nothing. */
  notifyQueue(index: number): boolean {
    return index === VIRTIO_IOMMU_REQUEST_QUEUE && this.#requests.drain();
  }

  queueReset(index: number): void {
    if (index === VIRTIO_IOMMU_REQUEST_QUEUE) this.#requests.forgetHeld();
  }

  /** Those whose answers an injector holds back. */
  keptBuffers(index: number): readonly number[] {
    return index === VIRTIO_IOMMU_REQUEST_QUEUE ? this.#requests.heldHeads : [];
  }

  /** Detaches all endpoints. "Field bypass SHOULD NOT change on device reset." */
  reset(): void {
    this.#state.observer?.resetting?.();
    this.#context = undefined;
    this.#requests.reset();
    this.#events.reset();
    this.#state.setDriverUp(false);
    this.#state.driverFeatures = 0;
    this.#state.detachAll();
    this.#state.observer?.reset?.();
  }

  /** @throws VirtioError SNAPSHOT_BUSY while an injector holds answers back */
  snapshot(): IommuSnapshot {
    if (this.#requests.heldCount > 0) {
      throw new VirtioError('SNAPSHOT_BUSY', 'Answers are held back: release them first');
    }
    return takeSnapshot(this.#state);
  }

  prepareRestore(snapshot: SnapshotReader, driver: RestoredDriver): () => void {
    return prepareSnapshot(this.#state, snapshot, driver);
  }

  /** For the VMM: `bypass` "SHOULD be restored to its initial value on system reset". Resets the device as well. */
  systemReset(): void {
    this.reset();
    this.#state.setBypass(this.#bootBypass);
  }

  /**
   * Adds an endpoint, in no domain, while a driver may be up: its requests can name it at once. How the guest learns of it
   * is for the bus that it is plugged into; the IOMMU has no word for it.
   *
   * @throws VirtioError ENDPOINTS when there is one with that ID, RESERVED_REGION, PROBE_SIZE, ENDPOINT_BUSY while a
   * request is carried out, and what the backend throws; nothing has changed then
   */
  addEndpoint(endpoint: EndpointOptions): void {
    this.#addEndpoint(endpoint);
    this.#state.observer?.endpointAdded?.(endpoint.id);
  }

  /**
   * Takes an endpoint away at once, whatever it is doing: it leaves its domain, which ends with its last endpoint, and
   * every memory that `endpointMemory` gave for it refuses each further access, silently and for good. Requests that name
   * it get VIRTIO_IOMMU_S_NOENT. The same ID can be added again: that is another endpoint, with memory of its own.
   *
   * @throws VirtioError ENDPOINT_UNKNOWN, ENDPOINT_BUSY while a request is carried out; nothing has changed then
   */
  removeEndpoint(id: number): void {
    this.#state.removeEndpoint(this.#endpoint(id));
    this.#state.observer?.endpointRemoved?.(id);
  }

  /**
   * The memory as one endpoint sees it: each access is translated, or refused and reported to the driver.
   *
   * @param memory what translated addresses lie in
   * @throws VirtioError ENDPOINT_UNKNOWN when no endpoint has the ID
   */
  endpointMemory(endpoint: number, memory: GuestMemory): GuestMemory {
    return new EndpointMemory(this.#endpoint(endpoint), memory, this.#gate);
  }

  /**
   * What one endpoint's DMA came to so far; live.
   *
   * @throws VirtioError ENDPOINT_UNKNOWN when no endpoint has the ID
   */
  endpointCounters(endpoint: number): Readonly<EndpointCounters> {
    return this.#endpoint(endpoint).counters;
  }

  /** Each endpoint with its domain, in the order in which they were added. */
  attachments(): Attachment[] {
    return attachmentsOf(this.#state);
  }

  /** The mappings of a domain, to look at; undefined when there is none of that ID, or it is a bypass domain. */
  mappingsOf(
    domain: number,
  ): Pick<MappingTable, keyof DomainMappings | 'size' | 'find'> | undefined {
    const found = this.#state.findDomain(domain);
    return found?.bypass === false ? found.mappings : undefined;
  }

  /** Mappings that there are, in all domains together. */
  get mappingCount(): number {
    return this.#state.mappingCount;
  }

  /** How many the guest may have at once: further ones are refused with VIRTIO_IOMMU_S_NOMEM. Those that are there stay. */
  get maxMappings(): number {
    return this.#state.limits.maxMappings;
  }

  /** @throws VirtioError MAX_MAPPINGS */
  set maxMappings(maxMappings: number) {
    this.#state.limits.maxMappings = checkMaxMappings(maxMappings);
  }

  /** `bypass` of the configuration: endpoints in no domain go by untranslated. */
  get bypass(): boolean {
    return this.#state.bypass;
  }

  /**
   * Sets DEVICE_NEEDS_RESET and tells the driver. What it has asked and asks until it resets the device is carried out.
   *
   * @returns false when no driver is up
   */
  needsReset(reason: string): boolean {
    this.#context?.needsReset(reason);
    return this.#context !== undefined;
  }

  /** Hands back the answer that an injector had held first. @returns whether there was one */
  releaseAnswer(): boolean {
    return this.#requests.releaseAnswer();
  }

  #addEndpoint(endpoint: EndpointOptions): void {
    const { endpoints, limits } = this.#state;
    const taken = endpoints.has(endpoint.id);
    this.#state.addEndpoint(makeEndpoint(endpoint, taken, limits.probeSize));
  }

  #endpoint(id: number) {
    const endpoint = this.#state.endpoints.get(id);
    if (endpoint === undefined) {
      throw new VirtioError(
        'ENDPOINT_UNKNOWN',
        `There is no endpoint ${id}: name it in the option endpoints, or add it`,
      );
    }
    return endpoint;
  }
}

/** VIRTIO_IOMMU_F_BYPASS is not offered: VIRTIO_IOMMU_F_BYPASS_CONFIG supersedes it. */
function featureBits(mmio: boolean, others: readonly number[]): bigint {
  const features = [
    VIRTIO_IOMMU_F_INPUT_RANGE,
    VIRTIO_IOMMU_F_DOMAIN_RANGE,
    VIRTIO_IOMMU_F_MAP_UNMAP,
    VIRTIO_IOMMU_F_PROBE,
    VIRTIO_IOMMU_F_BYPASS_CONFIG,
    ...(mmio ? [VIRTIO_IOMMU_F_MMIO] : []),
    ...others,
  ];
  return features.reduce((mask, feature) => mask | (1n << BigInt(feature)), 0n);
}
