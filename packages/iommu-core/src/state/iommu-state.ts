/** All that the requests act on: endpoints, domains, limits, and the backend that is kept in step with them. */
import { VirtioError } from '@viommu/virtqueue';
import type { GuardedBackend } from '../guarded-backend.ts';
import type { Mapping } from '../mappings/mapping.ts';
import type { IommuObserver } from '../observer.ts';
import type { Domain, Endpoint } from './domain.ts';

/** A range of addresses or IDs, both ends inclusive. */
interface InclusiveRange {
  readonly start: number;
  readonly end: number;
}

/** What does not change from construction on. */
export interface IommuLimits {
  /** The finest mapping in bytes: the lowest bit of `page_size_mask`. */
  readonly granule: number;
  /** 1 / granule: a product is cheaper than a quotient, and as exact. */
  readonly pagesPerByte: number;
  readonly inputRange: InclusiveRange;
  readonly domainRange: InclusiveRange;
  /** Size of `properties` in a PROBE request, in bytes. */
  readonly probeSize: number;
  /** Mappings that the guest may have in all domains together; the host can change its mind. */
  maxMappings: number;
}

export class IommuState {
  readonly limits: IommuLimits;
  readonly backend: GuardedBackend;
  readonly observer: IommuObserver | undefined;
  readonly endpoints = new Map<number, Endpoint>();
  readonly #domains = new Map<number, Domain>();
  /** The domain that was looked for last, which most requests are for. */
  #lastDomain: Domain | undefined;
  /**
   * What the request is about that is being carried out, used again for each. Of this device alone: a backend may have
   * another device carry out a request meanwhile.
   */
  readonly mapping: Mapping = { virtStart: 0, virtEnd: 0, physStart: 0, flags: 0 };
  /** Mappings in all domains together. */
  mappingCount = 0;
  /** What the driver accepted of the device's own features (bits 0 to 23); 0 before FEATURES_OK. */
  driverFeatures = 0;
  /** From DRIVER_OK until reset. */
  driverUp = false;
  /** A request is being carried out: endpoints neither come nor go. */
  inRequest = false;
  /** The `bypass` field of the configuration. */
  bypass: boolean;
  bypassChanges = 0;

  constructor(
    limits: IommuLimits,
    backend: GuardedBackend,
    bypass: boolean,
    observer: IommuObserver | undefined,
  ) {
    this.limits = limits;
    this.backend = backend;
    this.observer = observer;
    this.bypass = bypass;
    backend.setBypass(bypass);
  }

  findDomain(id: number): Domain | undefined {
    if (this.#lastDomain?.id !== id) this.#lastDomain = this.#domains.get(id);
    return this.#lastDomain;
  }

  /** Whether the driver accepted a feature, by its bit number. */
  negotiated(feature: number): boolean {
    return (this.driverFeatures & (1 << feature)) !== 0;
  }

  /** @throws VirtioError ENDPOINT_BUSY, and what the backend throws */
  addEndpoint(endpoint: Endpoint): void {
    this.#requireNoRequest(endpoint.id);
    this.backend.addEndpoint(endpoint.id);
    this.endpoints.set(endpoint.id, endpoint);
  }

  /** @throws VirtioError ENDPOINT_BUSY */
  removeEndpoint(endpoint: Endpoint): void {
    this.#requireNoRequest(endpoint.id);
    this.endpoints.delete(endpoint.id);
    endpoint.removed = true;
    endpoint.ownGeneration += 1;
    this.backend.removeEndpoint(endpoint.id);
    this.leave(endpoint);
  }

  /** Books an attachment that the backend has made, leaving the former domain. */
  join(endpoint: Endpoint, domain: Domain): void {
    this.leave(endpoint);
    this.#domains.set(domain.id, domain);
    domain.endpoints.add(endpoint);
    domain.reserved.add(endpoint.reserved);
    endpoint.domain = domain;
    endpoint.attachedSinceDriverUp = true;
    endpoint.ownGeneration += 1;
    this.observer?.attached?.(endpoint.id, domain.id, domain.bypass);
  }

  /**
   * Books a detachment that the backend has made. "After all endpoints have been successfully detached from a domain, it
   * ceases to exist and its ID can be reused by the driver for another domain."
   */
  leave(endpoint: Endpoint): void {
    const domain = endpoint.domain;
    if (domain === undefined) {
      return;
    }
    domain.endpoints.delete(endpoint);
    domain.reserved.remove(endpoint.reserved);
    // The sum of both must not fall.
    endpoint.ownGeneration += domain.generation + 1;
    endpoint.domain = undefined;
    if (domain.endpoints.size === 0) {
      this.#domains.delete(domain.id);
      this.#lastDomain = undefined;
      this.mappingCount -= domain.mappings.size;
      this.backend.destroyDomain(domain.id);
    }
    this.observer?.detached?.(endpoint.id, domain.id);
  }

  #requireNoRequest(endpoint: number): void {
    if (this.inRequest) {
      throw new VirtioError(
        'ENDPOINT_BUSY',
        `Endpoint ${endpoint}: a request is being carried out; add or remove endpoints after it, from the observer's method request at the earliest`,
      );
    }
  }

  /** "When the device is reset, endpoints are not attached to any domain." */
  detachAll(): void {
    for (const endpoint of this.endpoints.values()) {
      if (endpoint.domain !== undefined) {
        this.backend.detach(endpoint.id);
        this.leave(endpoint);
      }
    }
  }

  /** A new driver's session begins or ends: what endpoints did in the one before does not count. */
  setDriverUp(driverUp: boolean): void {
    this.driverUp = driverUp;
    for (const endpoint of this.endpoints.values()) {
      endpoint.attachedSinceDriverUp = false;
      endpoint.bypassWarned = false;
    }
  }

  /** Decides what endpoints in no domain may do. */
  setBypass(bypass: boolean): void {
    if (bypass === this.bypass) {
      return;
    }
    this.bypass = bypass;
    this.bypassChanges += 1;
    this.backend.setBypass(bypass);
    for (const endpoint of this.endpoints.values()) {
      if (endpoint.domain === undefined) {
        endpoint.ownGeneration += 1;
      }
    }
  }
}
