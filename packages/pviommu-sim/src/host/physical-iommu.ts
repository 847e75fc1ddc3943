/** PhysicalIommu: the host's IOMMU, one address space per container, shared by all devices that are passed through. */
import {
  type BackendCapabilities,
  type Mapping,
  MappingTable,
  type TranslationBackend,
  type TranslationResult,
} from '@viommu/iommu-core';
import {
  EBUSY,
  ENOMEM,
  type IovaRange,
  type VfioGroup,
  type VfioIommu,
  withoutReserved,
} from '@viommu/vfio';
import { silentLogger, VirtioError } from '@viommu/virtqueue';
import { type SimBackendOptions, simBackend } from '../sim-backend.ts';

const DEFAULT_MAX_MAPPINGS = 2 ** 20;
/** What a table of mappings can number. */
const MAX_MAPPINGS_MAX = 2 ** 24;

export interface PhysicalIommuOptions extends SimBackendOptions {
  /** Mappings that all address spaces together have memory for; 2^20 by default, 2^24 at most. Then `map` answers -ENOMEM. */
  readonly maxMappings?: number;
  /** What no device can map, such as the doorbell of interrupts; none by default. In bytes, ends inclusive. */
  readonly reserved?: readonly IovaRange[];
}

/** Devices are known by the IDs that they have on the host's bus. A device in no container reaches nothing. */
export class PhysicalIommu {
  readonly #tables: TranslationBackend;
  readonly #iovaRanges: readonly IovaRange[];
  /** By device, the mappings of the address space that it is in. */
  readonly #attached = new Map<number, MappingTable>();
  readonly #granule: number;
  readonly #maxMappings: number;
  #mappings = 0;
  #domains = 0;

  /** @throws VirtioError `SIM_OPTIONS` when an option makes no sense */
  constructor(options: PhysicalIommuOptions = {}) {
    this.#maxMappings = options.maxMappings ?? DEFAULT_MAX_MAPPINGS;
    const max = this.#maxMappings;
    if (!Number.isInteger(max) || max < 1 || max > MAX_MAPPINGS_MAX) {
      throw new VirtioError('SIM_OPTIONS', `maxMappings ${max}: choose 1 to ${MAX_MAPPINGS_MAX}`);
    }
    this.#tables = simBackend(options)({ logger: silentLogger });
    const { pageSizeMask } = this.#tables.capabilities;
    this.#granule = Number(pageSizeMask & -pageSizeMask);
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
   * already.
   */
  createAddressSpace(): VfioIommu {
    const tables = this.#tables;
    const attached = this.#attached;
    const mappings = new MappingTable(this.#granule);
    const domain = this.#domains;
    this.#domains += 1;
    const groups = new Set<VfioGroup>();
    return {
      pageSizeMask: tables.capabilities.pageSizeMask,
      iovaRanges: this.#iovaRanges,
      attachGroup: (group) => {
        if (group.endpoints.some((endpoint) => attached.has(endpoint))) return -EBUSY;
        if (groups.size === 0) tables.createDomain(domain, false, mappings);
        groups.add(group);
        for (const endpoint of group.endpoints) {
          tables.attach(endpoint, domain);
          attached.set(endpoint, mappings);
        }
        return 0;
      },
      detachGroup: (group) => {
        for (const endpoint of group.endpoints) {
          tables.detach(endpoint);
          attached.delete(endpoint);
        }
        groups.delete(group);
        if (groups.size > 0) return;
        this.#mappings -= mappings.remove({ virtStart: 0, virtEnd: Number.MAX_SAFE_INTEGER });
        tables.destroyDomain(domain);
      },
      map: (iova, iovaEnd, physical, flags) => {
        if (this.#mappings >= this.#maxMappings) return -ENOMEM;
        mappings.insert({ virtStart: iova, virtEnd: iovaEnd, physStart: physical, flags });
        this.#mappings += 1;
        return 0;
      },
      unmap: (iova, iovaEnd) => {
        this.#mappings -= mappings.remove({ virtStart: iova, virtEnd: iovaEnd });
      },
    };
  }

  /** The mapping that covers an address of a device, to look at; `physStart` is host-physical. */
  mappingAt(endpoint: number, address: number): Mapping | undefined {
    return this.#attached.get(endpoint)?.find(address);
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
