/** RefusingBackend: a backend with room for so many requests, which lets another one translate. */
import {
  type DomainMappings,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';

export class RefusingBackend implements TranslationBackend {
  readonly #below: TranslationBackend;
  /** Requests that are taken before all are refused. */
  room = Number.POSITIVE_INFINITY;

  constructor(below: TranslationBackend) {
    this.#below = below;
  }

  get capabilities() {
    return this.#below.capabilities;
  }

  get generation() {
    return this.#below.generation;
  }

  addEndpoint(endpoint: number): void {
    this.#below.addEndpoint(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.#below.removeEndpoint(endpoint);
  }

  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number {
    return this.#take() ? this.#below.createDomain(domain, bypass, mappings) : VIRTIO_IOMMU_S_NOMEM;
  }

  destroyDomain(domain: number): void {
    this.#below.destroyDomain(domain);
  }

  attach(endpoint: number, domain: number): number {
    return this.#take() ? this.#below.attach(endpoint, domain) : VIRTIO_IOMMU_S_NOMEM;
  }

  detach(endpoint: number): void {
    this.#below.detach(endpoint);
  }

  map(): number {
    return this.#take() ? VIRTIO_IOMMU_S_OK : VIRTIO_IOMMU_S_NOMEM;
  }

  unmap(): number {
    return VIRTIO_IOMMU_S_OK;
  }

  setBypass(bypass: boolean): void {
    this.#below.setBypass(bypass);
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    return this.#below.translate(endpoint, address, length, access, out);
  }

  #take(): boolean {
    this.room -= 1;
    return this.room >= 0;
  }
}
