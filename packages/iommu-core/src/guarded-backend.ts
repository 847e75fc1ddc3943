/** A backend whose exceptions became statuses: the one place where a throwing backend is caught. */
import type { Logger } from '@viommu/virtqueue';
import type { DomainMappings, TranslationBackend } from './backend.ts';
import type { AddressRange, Mapping } from './mappings/mapping.ts';
import {
  VIRTIO_IOMMU_S_DEVERR,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
} from './protocol/constants.ts';

/** What the requests use of a backend. Answers VIRTIO_IOMMU_S_*; an exception is VIRTIO_IOMMU_S_DEVERR and one log line. */
export class GuardedBackend {
  readonly #backend: TranslationBackend;
  readonly #logger: Logger;

  constructor(backend: TranslationBackend, logger: Logger) {
    this.#backend = backend;
    this.#logger = logger;
  }

  /** Not guarded: a refusal is for the host program that asks. */
  addEndpoint(endpoint: number): void {
    this.#backend.addEndpoint(endpoint);
  }

  removeEndpoint(endpoint: number): number {
    return this.#guard('removeEndpoint', () => {
      this.#backend.removeEndpoint(endpoint);
      return VIRTIO_IOMMU_S_OK;
    });
  }

  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number {
    return this.#guard('createDomain', () => this.#backend.createDomain(domain, bypass, mappings));
  }

  destroyDomain(domain: number): number {
    return this.#guard('destroyDomain', () => {
      this.#backend.destroyDomain(domain);
      return VIRTIO_IOMMU_S_OK;
    });
  }

  attach(endpoint: number, domain: number): number {
    return this.#guard('attach', () => this.#backend.attach(endpoint, domain));
  }

  detach(endpoint: number): number {
    return this.#guard('detach', () => {
      this.#backend.detach(endpoint);
      return VIRTIO_IOMMU_S_OK;
    });
  }

  /** Written out, as `unmap` is: these two run per buffer of a guest, and a closure would be allocated. */
  map(domain: number, { virtStart, virtEnd, physStart, flags }: Mapping): number {
    const backend = this.#backend;
    if (backend.map === undefined) return VIRTIO_IOMMU_S_OK;
    try {
      return knownStatus(backend.map(domain, virtStart, virtEnd, physStart, flags));
    } catch (error) {
      return this.#report('map', error);
    }
  }

  unmap(domain: number, { virtStart, virtEnd }: AddressRange): number {
    const backend = this.#backend;
    if (backend.unmap === undefined) return VIRTIO_IOMMU_S_OK;
    try {
      return knownStatus(backend.unmap(domain, virtStart, virtEnd));
    } catch (error) {
      return this.#report('unmap', error);
    }
  }

  setBypass(bypass: boolean): number {
    return this.#guard('setBypass', () => {
      this.#backend.setBypass(bypass);
      return VIRTIO_IOMMU_S_OK;
    });
  }

  #guard(method: string, call: () => number): number {
    try {
      return knownStatus(call());
    } catch (error) {
      return this.#report(method, error);
    }
  }

  #report(method: string, error: unknown): number {
    this.#logger.error(`IOMMU backend: ${method} threw, answered as a device error: ${error}`);
    return VIRTIO_IOMMU_S_DEVERR;
  }
}

/** A status that the standard does not have would tell the driver nothing. */
function knownStatus(status: number): number {
  return status >= 0 && status <= VIRTIO_IOMMU_S_NOMEM ? status : VIRTIO_IOMMU_S_DEVERR;
}
