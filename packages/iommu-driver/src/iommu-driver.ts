/** IommuDriver: the guest's side of a virtio-iommu: brings the device up, sends requests, and takes fault reports. */
import { type GuestMemory, VirtioError, writeLe64 } from '@viommu/virtqueue';
import { VIRTIO_F_ACCESS_PLATFORM } from '@viommu/virtqueue/device';
import {
  createDriverQueue,
  DRIVER_QUEUE_FEATURES,
  type DriverQueue,
  type DriverTransport,
  driverQueueLength,
  initializeDevice,
} from '@viommu/virtqueue/driver';
import type { AddressAllocator } from './address-allocator.ts';
import { checkIsIommu } from './check-is-iommu.ts';
import { checkDomain, checkInputRange, checkMapFlags, checkMapRange } from './check-request.ts';
import { FaultChannel, type IommuFault } from './fault-channel.ts';
import {
  type IommuConfig,
  parseReservedRegions,
  type ReservedRegion,
  readIommuConfig,
} from './iommu-config.ts';
import {
  ATTACH_SIZE,
  CONFIG_BYPASS,
  DETACH_SIZE,
  EVENT_QUEUE,
  MAP_SIZE,
  PROBE_SIZE,
  REQUEST_QUEUE,
  UNMAP_SIZE,
  VIRTIO_IOMMU_ATTACH_F_BYPASS,
  VIRTIO_IOMMU_F_BYPASS_CONFIG,
  VIRTIO_IOMMU_F_DOMAIN_RANGE,
  VIRTIO_IOMMU_F_INPUT_RANGE,
  VIRTIO_IOMMU_F_MAP_UNMAP,
  VIRTIO_IOMMU_F_MMIO,
  VIRTIO_IOMMU_F_PROBE,
  VIRTIO_IOMMU_T_ATTACH,
  VIRTIO_IOMMU_T_DETACH,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_PROBE,
  VIRTIO_IOMMU_T_UNMAP,
} from './protocol.ts';
import { RequestChannel } from './request-channel.ts';

export interface IommuDriverOptions {
  readonly transport: DriverTransport;
  /** Memory as the driver sees it, at the addresses by which the device knows it. */
  readonly memory: GuestMemory;
  /** Where in `memory` the driver may put its rings and requests. */
  readonly pages: AddressAllocator;
  /**
   * Called while an answer is awaited: lets the device work, or sleeps until its interrupt.
   *
   * @returns false to give up
   */
  readonly wait: () => boolean;
  /** Most descriptors of the request queue, a power of two; 64 by default. */
  readonly requestQueueSize?: number;
  /** Most fault reports that the device can hold for the driver, a power of two; 16 by default. */
  readonly eventQueueSize?: number;
  /** Features to ask for at most, as a mask; all that the driver knows by default. */
  readonly features?: bigint;
}

const FEATURES =
  DRIVER_QUEUE_FEATURES |
  VIRTIO_F_ACCESS_PLATFORM |
  VIRTIO_IOMMU_F_INPUT_RANGE |
  VIRTIO_IOMMU_F_DOMAIN_RANGE |
  VIRTIO_IOMMU_F_MAP_UNMAP |
  VIRTIO_IOMMU_F_PROBE |
  VIRTIO_IOMMU_F_MMIO |
  VIRTIO_IOMMU_F_BYPASS_CONFIG;
const DEFAULT_REQUEST_QUEUE_SIZE = 64;
const DEFAULT_EVENT_QUEUE_SIZE = 16;

/**
 * Addresses and ends are in bytes, ends inclusive, as on the wire. Each request but the queued ones waits for its answer
 * and throws `IommuRequestError` when the status is not VIRTIO_IOMMU_S_OK, `VirtioError` `NO_ANSWER` when waiting was
 * given up. What the standard forbids to send is not sent: `VirtioError` `DOMAIN_RANGE`, `INPUT_RANGE`, `MAP_RANGE`,
 * `MAP_FLAGS` or `NO_BYPASS_CONFIG`.
 */
export class IommuDriver {
  readonly features: bigint;
  readonly config: IommuConfig;
  readonly #options: IommuDriverOptions;
  readonly #requests: RequestChannel;
  readonly #faults: FaultChannel;

  /**
   * Resets the device and brings it up.
   *
   * @throws VirtioError `NOT_AN_IOMMU`, `NO_VERSION_1`, `FEATURES_REFUSED`, `NO_ADDRESSES` when `pages` is too small
   */
  constructor(options: IommuDriverOptions) {
    const { transport, memory, pages, wait } = options;
    checkIsIommu(transport);
    this.#options = options;
    const queues: DriverQueue[] = [];
    this.features = initializeDevice(transport, {
      features: FEATURES & (options.features ?? FEATURES),
      setUpQueues: (features) => {
        const sizes = [
          options.requestQueueSize ?? DEFAULT_REQUEST_QUEUE_SIZE,
          options.eventQueueSize ?? DEFAULT_EVENT_QUEUE_SIZE,
        ];
        for (const [index, wanted] of sizes.entries()) {
          const size = Math.min(wanted, transport.queueMaxSize(index));
          const address = pages.allocate(driverQueueLength(features, size));
          const queue = createDriverQueue({ features, size, memory, address });
          queues.push(queue);
          transport.enableQueue(index, queue.addresses);
        }
      },
    });
    this.config = readIommuConfig(transport, this.features);
    const { probeSize } = this.config;
    const [requestQueue, eventQueue] = [queues[REQUEST_QUEUE]!, queues[EVENT_QUEUE]!];
    this.#requests = new RequestChannel({
      transport,
      memory,
      wait,
      probeSize,
      queue: requestQueue,
      address: pages.allocate(RequestChannel.memoryLength(requestQueue.size, probeSize)),
    });
    this.#faults = new FaultChannel({
      transport,
      memory,
      queue: eventQueue,
      address: pages.allocate(FaultChannel.memoryLength(eventQueue.size)),
    });
    this.#faults.fill();
  }

  /** "PROBE request": what must not be mapped for the endpoint; nothing is known without VIRTIO_IOMMU_F_PROBE. */
  probe(endpoint: number): ReservedRegion[] {
    if ((this.features & VIRTIO_IOMMU_F_PROBE) === 0n) return [];
    const request = this.#begin(VIRTIO_IOMMU_T_PROBE);
    request.setUint32(4, endpoint, true);
    this.#requests.add(`PROBE of endpoint ${endpoint}`, PROBE_SIZE, this.config.probeSize);
    this.#requests.sync();
    return parseReservedRegions(this.#requests.properties);
  }

  /** "ATTACH request". @param bypass VIRTIO_IOMMU_ATTACH_F_BYPASS: the domain lets accesses by untranslated */
  attach(domain: number, endpoint: number, bypass = false): void {
    checkDomain(this.config, domain);
    if (bypass) this.#requireBypassConfig();
    const request = this.#begin(VIRTIO_IOMMU_T_ATTACH);
    request.setUint32(4, domain, true);
    request.setUint32(8, endpoint, true);
    request.setUint32(12, bypass ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0, true);
    this.#requests.add(`ATTACH of endpoint ${endpoint} to domain ${domain}`, ATTACH_SIZE);
    this.#requests.sync();
  }

  /** "DETACH request". */
  detach(domain: number, endpoint: number): void {
    checkDomain(this.config, domain);
    const request = this.#begin(VIRTIO_IOMMU_T_DETACH);
    request.setUint32(4, domain, true);
    request.setUint32(8, endpoint, true);
    this.#requests.add(`DETACH of endpoint ${endpoint} from domain ${domain}`, DETACH_SIZE);
    this.#requests.sync();
  }

  /** "MAP request". @param flags VIRTIO_IOMMU_MAP_F_*: 1 read, 2 write, 4 MMIO */
  map(domain: number, virtStart: number, virtEnd: number, physStart: number, flags: number): void {
    this.queueMap(domain, virtStart, virtEnd, physStart, flags);
    this.#requests.sync();
  }

  /** "UNMAP request": every mapping inside the range. */
  unmap(domain: number, virtStart: number, virtEnd: number): void {
    this.queueUnmap(domain, virtStart, virtEnd);
    this.#requests.sync();
  }

  /** As {@link map}, but it is certain only after {@link sync}: many requests share one wait. */
  queueMap(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): void {
    checkDomain(this.config, domain);
    checkInputRange(this.config, virtStart, virtEnd);
    checkMapRange(virtStart, virtEnd);
    checkMapFlags(this.features, flags);
    const request = this.#begin(VIRTIO_IOMMU_T_MAP);
    request.setUint32(4, domain, true);
    writeLe64(request, 8, virtStart);
    writeLe64(request, 16, virtEnd);
    writeLe64(request, 24, physStart);
    request.setUint32(32, flags, true);
    this.#requests.add('MAP', MAP_SIZE);
  }

  /** As {@link unmap}, but it is certain only after {@link sync}. */
  queueUnmap(domain: number, virtStart: number, virtEnd: number): void {
    checkDomain(this.config, domain);
    checkInputRange(this.config, virtStart, virtEnd);
    const request = this.#begin(VIRTIO_IOMMU_T_UNMAP);
    request.setUint32(4, domain, true);
    writeLe64(request, 8, virtStart);
    writeLe64(request, 16, virtEnd);
    this.#requests.add('UNMAP', UNMAP_SIZE);
  }

  /** Waits for the queued requests. @throws IommuRequestError for the first of them that failed */
  sync(): void {
    this.#requests.sync();
  }

  /** Whether endpoints without a domain reach memory. @throws VirtioError `NO_BYPASS_CONFIG` */
  setBypass(bypass: boolean): void {
    this.#requireBypassConfig();
    this.#options.transport.writeConfig(CONFIG_BYPASS, 1, bypass ? 1 : 0);
  }

  /** Takes the oldest fault report. @returns false when there is none */
  takeFault(out: IommuFault): boolean {
    return this.#faults.take(out);
  }

  #requireBypassConfig(): void {
    if ((this.features & VIRTIO_IOMMU_F_BYPASS_CONFIG) !== 0n) return;
    throw new VirtioError(
      'NO_BYPASS_CONFIG',
      'the IOMMU does not offer VIRTIO_IOMMU_F_BYPASS_CONFIG',
    );
  }

  #begin(type: number): DataView {
    const { request } = this.#requests;
    for (let offset = 0; offset < request.byteLength; offset += 4) request.setUint32(offset, 0);
    request.setUint8(0, type);
    return request;
  }
}
