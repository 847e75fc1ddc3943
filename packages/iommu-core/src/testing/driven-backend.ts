/** DrivenBackend: drives a TranslationBackend as the device core does, keeping the mappings, for tests without a device. */
import type { TranslationBackend, TranslationResult } from '../backend.ts';
import { MappingTable } from '../mappings/mapping-table.ts';
import { VIRTIO_IOMMU_S_OK } from '../protocol/constants.ts';

/** As in the contract, arguments must be right: what the core refuses never gets to a backend. */
export class DrivenBackend {
  readonly backend: TranslationBackend;
  readonly #tables = new Map<number, MappingTable>();

  constructor(backend: TranslationBackend) {
    this.backend = backend;
  }

  get capabilities() {
    return this.backend.capabilities;
  }

  addEndpoint(endpoint: number): void {
    this.backend.addEndpoint(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.backend.removeEndpoint(endpoint);
  }

  createDomain(domain: number, bypass: boolean): number {
    const { pageSizeMask } = this.capabilities;
    const table = new MappingTable(Number(pageSizeMask & -pageSizeMask));
    this.#tables.set(domain, table);
    return this.backend.createDomain(domain, bypass, table);
  }

  destroyDomain(domain: number): void {
    this.backend.destroyDomain(domain);
    this.#tables.delete(domain);
  }

  attach(endpoint: number, domain: number): number {
    return this.backend.attach(endpoint, domain);
  }

  detach(endpoint: number): void {
    this.backend.detach(endpoint);
  }

  map(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number {
    const { backend } = this;
    const status = backend.map?.(domain, virtStart, virtEnd, physStart, flags) ?? VIRTIO_IOMMU_S_OK;
    if (status === VIRTIO_IOMMU_S_OK) {
      this.#tables.get(domain)!.insert({ virtStart, virtEnd, physStart, flags });
    }
    return status;
  }

  unmap(domain: number, virtStart: number, virtEnd: number): number {
    const status = this.backend.unmap?.(domain, virtStart, virtEnd) ?? VIRTIO_IOMMU_S_OK;
    if (status === VIRTIO_IOMMU_S_OK) this.#tables.get(domain)!.remove({ virtStart, virtEnd });
    return status;
  }

  setBypass(bypass: boolean): void {
    this.backend.setBypass(bypass);
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    return this.backend.translate(endpoint, address, length, access, out);
  }
}
