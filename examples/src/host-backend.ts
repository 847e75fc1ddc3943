/**
 * A translation backend of one's own, for devices that the VMM passes through: what the guest maps is mapped in the host's IOMMU,
 * too, where real devices do their DMA. Devices that the VMM emulates are translated by the core's own table of mappings.
 */
import {
  type BackendFactory,
  type DomainMappings,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_MAP_F_WRITE,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';

/** What the host offers, as Linux' iommufd does: address spaces, and devices that are in one. Lengths are in bytes. */
export interface HostIommu {
  createSpace(space: number): void;
  destroySpace(space: number): void;
  /** @returns false when there is no room for it */
  map(space: number, start: number, length: number, physical: number, writable: boolean): boolean;
  /** Takes whole mappings away, all that lie in the range. */
  unmap(space: number, start: number, length: number): void;
  /** @param space or where all of the guest's memory is, or where nothing is */
  attach(endpoint: number, space: number | 'identity' | 'blocked'): void;
}

export function hostBackend(host: HostIommu): BackendFactory {
  return () => new HostBackend(host);
}

interface Domain {
  readonly bypass: boolean;
  readonly mappings: DomainMappings;
}

class HostBackend implements TranslationBackend {
  readonly capabilities = { pageSizeMask: 0x1000n, inputEnd: 2 ** 48 - 1, mmio: false };
  /** Nothing changes but by calls of the device. */
  readonly generation = 0;
  readonly #host: HostIommu;
  readonly #domains = new Map<number, Domain>();
  /** Of each endpoint that is there. */
  readonly #domainOf = new Map<number, Domain | undefined>();
  #bypass = false;

  constructor(host: HostIommu) {
    this.#host = host;
  }

  addEndpoint(endpoint: number): void {
    this.detach(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.#domainOf.delete(endpoint);
    this.#host.attach(endpoint, 'blocked');
  }

  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number {
    this.#domains.set(domain, { bypass, mappings });
    if (!bypass) this.#host.createSpace(domain);
    return VIRTIO_IOMMU_S_OK;
  }

  destroyDomain(domain: number): void {
    if (!this.#domains.get(domain)!.bypass) this.#host.destroySpace(domain);
    this.#domains.delete(domain);
  }

  attach(endpoint: number, id: number): number {
    const domain = this.#domains.get(id)!;
    this.#domainOf.set(endpoint, domain);
    this.#host.attach(endpoint, domain.bypass ? 'identity' : id);
    return VIRTIO_IOMMU_S_OK;
  }

  detach(endpoint: number): void {
    this.#domainOf.set(endpoint, undefined);
    this.#host.attach(endpoint, this.#bypass ? 'identity' : 'blocked');
  }

  /** What the core has checked need not be checked here: the range is aligned, and overlaps no other. */
  map(domain: number, start: number, end: number, physical: number, flags: number): number {
    const isWritable = (flags & VIRTIO_IOMMU_MAP_F_WRITE) !== 0;
    const isMapped = this.#host.map(domain, start, end + 1 - start, physical, isWritable);
    return isMapped ? VIRTIO_IOMMU_S_OK : VIRTIO_IOMMU_S_NOMEM;
  }

  unmap(domain: number, start: number, end: number): number {
    this.#host.unmap(domain, start, end + 1 - start);
    return VIRTIO_IOMMU_S_OK;
  }

  setBypass(bypass: boolean): void {
    this.#bypass = bypass;
    for (const [endpoint, domain] of this.#domainOf) {
      if (domain === undefined) this.#host.attach(endpoint, bypass ? 'identity' : 'blocked');
    }
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    const domain = this.#domainOf.get(endpoint);
    if (domain === undefined && !(this.#bypass && this.#domainOf.has(endpoint))) {
      return TRANSLATION_NO_DOMAIN;
    }
    if (domain !== undefined && !domain.bypass) {
      return domain.mappings.translate(address, length, access, out);
    }
    out.physical = address;
    out.length = length;
    out.bypass = true;
    return TRANSLATION_OK;
  }
}
