/** PhysicalIommu: the host's IOMMU, one address space per container, shared by all devices that are passed through. */
import {
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';
import {
  ENOMEM,
  type IovaRange,
  type VfioGroup,
  type VfioIommu,
  withoutReserved,
} from '@viommu/vfio';
import { silentLogger } from '@viommu/virtqueue';
import { type SimBackendOptions, simBackend } from '../sim-backend.ts';

export interface PhysicalIommuOptions extends SimBackendOptions {
  /** What no device can map, such as the doorbell of interrupts; none by default. In bytes, ends inclusive. */
  readonly reserved?: readonly IovaRange[];
}

/** Devices are known by the IDs that they have on the host's bus. A device in no container reaches nothing. */
export class PhysicalIommu {
  readonly #tables: TranslationBackend;
  readonly #iovaRanges: readonly IovaRange[];
  #domains = 0;

  /** @throws VirtioError `SIM_OPTIONS` when an option makes no sense */
  constructor(options: PhysicalIommuOptions = {}) {
    this.#tables = simBackend(options)({ endpoints: [], logger: silentLogger });
    this.#iovaRanges = withoutReserved(
      0,
      this.#tables.capabilities.inputEnd,
      options.reserved ?? [],
    );
  }

  /** An empty address space, for a container. -ENOMEM at `attachGroup` when the IOMMU has no memory for it. */
  createAddressSpace(): VfioIommu {
    const tables = this.#tables;
    const domain = this.#domains;
    this.#domains += 1;
    const groups = new Set<VfioGroup>();
    return {
      pageSizeMask: tables.capabilities.pageSizeMask,
      iovaRanges: this.#iovaRanges,
      attachGroup: (group) => {
        if (groups.size === 0 && tables.createDomain(domain, false) !== VIRTIO_IOMMU_S_OK) {
          return -ENOMEM;
        }
        groups.add(group);
        for (const endpoint of group.endpoints) tables.attach(endpoint, domain);
        return 0;
      },
      detachGroup: (group) => {
        for (const endpoint of group.endpoints) tables.detach(endpoint);
        groups.delete(group);
        if (groups.size === 0) tables.destroyDomain(domain);
      },
      map: (iova, iovaEnd, physical, flags) =>
        tables.map(domain, iova, iovaEnd, physical, flags) === VIRTIO_IOMMU_S_OK ? 0 : -ENOMEM,
      unmap: (iova, iovaEnd) => {
        tables.unmap(domain, iova, iovaEnd);
      },
    };
  }

  /** Translates the start of an access, as {@link TranslationBackend.translate}; `out.physical` is host-physical. */
  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    return this.#tables.translate(endpoint, address, length, access, out);
  }
}
