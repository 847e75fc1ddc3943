/** VirtioIommuDevice: the virtio-iommu, whatever transport drives it; wiring only. */
import { type GuestMemory, silentLogger, VirtioError } from '@viommu/virtqueue';
import type { AccessWidth, DeviceContext, VirtioDevice } from '@viommu/virtqueue/device';
import { IommuCounters } from './counters.ts';
import { DmaGate } from './dma/dma-gate.ts';
import { EndpointMemory } from './dma/endpoint-memory.ts';
import { EVENT_QUEUE_SIZE, EventQueue } from './event-queue.ts';
import { GuardedBackend } from './guarded-backend.ts';
import {
  chooseLimits,
  choosePageSizeMask,
  choosePollMicroseconds,
  makeEndpoints,
  type VirtioIommuOptions,
} from './options.ts';
import { checkConfigExtension } from './protocol/config-extension.ts';
import { ConfigSpace } from './protocol/config-space.ts';
import {
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
import type { EndpointCounters } from './state/domain.ts';
import { IommuState } from './state/iommu-state.ts';

/** Features that are the device's own stand in the low bits ("Feature Bits": 0 to 23). */
const DEVICE_FEATURES_MASK = 0xff_ffffn;

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

  /**
   * @throws VirtioError ENDPOINTS, RESERVED_REGION, PROBE_SIZE, PAGE_SIZE_MASK, INPUT_RANGE, DOMAIN_RANGE, MAX_MAPPINGS,
   * POLL_MICROSECONDS, TOPOLOGY or MMIO when an option makes no sense
   */
  constructor(options: VirtioIommuOptions) {
    const logger = options.logger ?? silentLogger;
    const endpoints = makeEndpoints(options);
    const backend = options.backend({ endpoints: [...endpoints.keys()], logger });
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
      endpoints,
      this.#bootBypass,
      options.observer,
    );
    this.#requests = new RequestQueue(this.#state, this.counters, choosePollMicroseconds(options));
    this.#gate = new DmaGate(this.#state, backend, this.#events, this.counters, logger);
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
    this.#requests.activate(context);
    this.#events.activate(context);
  }

  /** Event buffers are looked for when there is an event, so a kick of their queue means nothing. */
  notifyQueue(index: number): boolean {
    return index === VIRTIO_IOMMU_REQUEST_QUEUE && this.#requests.drain();
  }

  /** Detaches all endpoints. "Field bypass SHOULD NOT change on device reset." */
  reset(): void {
    this.#requests.reset();
    this.#events.reset();
    this.#state.setDriverUp(false);
    this.#state.driverFeatures = 0;
    this.#state.detachAll();
    this.#state.observer?.reset?.();
  }

  /** For the VMM: `bypass` "SHOULD be restored to its initial value on system reset". Resets the device as well. */
  systemReset(): void {
    this.reset();
    this.#state.setBypass(this.#bootBypass);
  }

  /**
   * The memory as one endpoint sees it: each access is translated, or refused and reported to the driver.
   *
   * @param memory what translated addresses lie in
   * @throws VirtioError ENDPOINT_UNKNOWN when the ID is not among the option `endpoints`
   */
  endpointMemory(endpoint: number, memory: GuestMemory): GuestMemory {
    return new EndpointMemory(this.#endpoint(endpoint), memory, this.#gate);
  }

  /**
   * What one endpoint's DMA came to so far; live.
   *
   * @throws VirtioError ENDPOINT_UNKNOWN when the ID is not among the option `endpoints`
   */
  endpointCounters(endpoint: number): Readonly<EndpointCounters> {
    return this.#endpoint(endpoint).counters;
  }

  #endpoint(id: number) {
    const endpoint = this.#state.endpoints.get(id);
    if (endpoint === undefined) {
      throw new VirtioError(
        'ENDPOINT_UNKNOWN',
        `Endpoint ${id} is not in the option endpoints: add it`,
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
