/** PhysicalIommu: the host's IOMMU, one address space per container, shared by all devices that are passed through. */
import {
  type BackendCapabilities,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';
import {
  EBUSY,
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
  /** The devices that are in an address space. */
  readonly #attached = new Set<number>();
  #domains = 0;

  /** @throws VirtioError `SIM_OPTIONS` when an option makes no sense */
  constructor(options: PhysicalIommuOptions = {}) {
    this.#tables = simBackend(options)({ logger: silentLogger });
    this.#iovaRanges = withoutReserved(
      0,
      this.#tables.capabilities.inputEnd,
      options.reserved ?? [],
    );
  }

  /** What its address spaces can hold. */
  get capabilities(): BackendCapabilities {
    return this.#tables.capabilities;
  }

  /**
   * An empty address space, for a container. `attachGroup` answers -EBUSY when a device of the group is in an address space
   * already, -ENOMEM when the IOMMU has no memory for another one.
   */
  createAddressSpace(): VfioIommu {
    const tables = this.#tables;
    const attached = this.#attached;
    const domain = this.#domains;
    this.#domains += 1;
    const groups = new Set<VfioGroup>();
    return {
      pageSizeMask: tables.capabilities.pageSizeMask,
      iovaRanges: this.#iovaRanges,
      attachGroup: (group) => {
        if (group.endpoints.some((endpoint) => attached.has(endpoint))) return -EBUSY;
        if (groups.size === 0 && tables.createDomain(domain, false) !== VIRTIO_IOMMU_S_OK) {
          return -ENOMEM;
        }
        groups.add(group);
        for (const endpoint of group.endpoints) {
          tables.attach(endpoint, domain);
          attached.add(endpoint);
        }
        return 0;
      },
      detachGroup: (group) => {
        for (const endpoint of group.endpoints) {
          tables.detach(endpoint);
          attached.delete(endpoint);
        }
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
