/** The contract TranslationBackend: who really translates. Types and docs only, but for the codes of `translate`. */
import type { Logger } from '@viommu/virtqueue';

/** The access is translated. */
export const TRANSLATION_OK = 0;
/** The endpoint is attached to no domain and may not bypass; equals VIRTIO_IOMMU_FAULT_R_DOMAIN. */
export const TRANSLATION_NO_DOMAIN = 1;
/** No mapping covers the address, or it does not allow the access; equals VIRTIO_IOMMU_FAULT_R_MAPPING. */
export const TRANSLATION_NO_MAPPING = 2;
/** The backend could not translate for a reason of its own; reported as VIRTIO_IOMMU_FAULT_R_UNKNOWN. */
export const TRANSLATION_FAILED = 3;

/** Filled by {@link TranslationBackend.translate}; the caller owns and reuses it. */
export interface TranslationResult {
  /** Guest-physical address (or what the backend's memory is addressed by) of the first byte. */
  physical: number;
  /** Bytes from there on that are contiguous and allow the access: 1 to the length asked for. */
  length: number;
  /** The access went by untranslated: a bypass domain, or no domain while bypass is on. */
  bypass: boolean;
}

/** What the device may offer with this backend. */
export interface BackendCapabilities {
  /** Bit n: mappings of 2^n bytes can be made; the lowest bit is the finest granule (`page_size_mask`). */
  readonly pageSizeMask: bigint;
  /** Largest virtual address, inclusive, at most 2^52 - 1. */
  readonly inputEnd: number;
  /** Whether VIRTIO_IOMMU_MAP_F_MMIO means something here. */
  readonly mmio: boolean;
}

/** Told of each mapping; ends are inclusive. It is told of no more when it answers false. */
export type MappingVisitor = (
  virtStart: number,
  virtEnd: number,
  physStart: number,
  flags: number,
) => unknown;

/**
 * The mappings of one domain as the core keeps them, for a backend to read. A mapping is in here from when a MAP is
 * answered with S_OK until an UNMAP is.
 */
export interface DomainMappings {
  /**
   * Translates the start of an access by the mapping that covers it, as {@link TranslationBackend.translate} does.
   *
   * @returns TRANSLATION_OK or TRANSLATION_NO_MAPPING
   */
  translate(address: number, length: number, access: number, out: TranslationResult): number;
  /** Shows each mapping that starts within a range, in rising order. None may be made or removed meanwhile. */
  visit(virtStart: number, virtEnd: number, visitor: MappingVisitor): void;
}

/**
 * Translates for the endpoints of one virtio-iommu. Called by the device core alone, which has checked each argument by
 * the standard: domains exist, ranges are aligned and inside the input range, a MAP overlaps nothing, an UNMAP covers
 * whole mappings only. A backend may rely on that, and owns refusals of its own: capacity, hardware.
 *
 * Methods that answer a number answer VIRTIO_IOMMU_S_*. Whatever is not S_OK must have changed nothing. A method that
 * throws is answered with VIRTIO_IOMMU_S_DEVERR in one place of the core.
 * Ends of ranges are inclusive. Addresses are in bytes.
 */
export interface TranslationBackend {
  readonly capabilities: BackendCapabilities;
  /**
   * Grows whenever the backend on its own, not by a call of the device, has changed what an address translates to: where
   * there is a stage 2, when that changed. Windows into memory are asked for anew then. Stays 0 for others.
   */
  readonly generation: number;

  /**
   * An endpoint is there, in no domain, before anything else names it. Those that the device has from the start are added
   * at its construction. The host program asks for it, so what this throws reaches the host program, and then the
   * endpoint is not there.
   */
  addEndpoint(endpoint: number): void;
  /** An endpoint is gone: it leaves the domain that it may be in, and reaches nothing from then on, bypass or not. */
  removeEndpoint(endpoint: number): void;

  /**
   * Makes an empty domain; with `bypass` its endpoints' accesses go by untranslated (VIRTIO_IOMMU_ATTACH_F_BYPASS).
   *
   * @param mappings what a backend that translates in software can do so by, and then has nothing of its own to keep
   */
  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number;
  /** Drops a domain that has no endpoint left, with its mappings. */
  destroyDomain(domain: number): void;

  /** Puts an endpoint into a domain, moving it out of its former one in one step. On failure it stays where it was. */
  attach(endpoint: number, domain: number): number;
  /** Takes an endpoint out of its domain; a no-op for an endpoint in none. */
  detach(endpoint: number): void;

  /**
   * A backend that keeps nothing beside the core's mappings leaves this and `unmap` out.
   *
   * @param flags VIRTIO_IOMMU_MAP_F_*
   */
  map?(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number;
  /** Removes all mappings within the range; there may be none. */
  unmap?(domain: number, virtStart: number, virtEnd: number): number;

  /** Whether endpoints in no domain go by untranslated or fault: the `bypass` field of the configuration. */
  setBypass(bypass: boolean): void;

  /**
   * Translates the start of an access.
   *
   * @param address virtual address, 0 to 2^53 - 1
   * @param length bytes wanted, at least 1
   * @param access ACCESS_READ, ACCESS_WRITE or both
   * @param out filled on TRANSLATION_OK only
   * @returns a TRANSLATION_* code; never throws on any address
   */
  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number;
}

/** What the core hands to a backend at construction. */
export interface BackendComponents {
  readonly logger: Logger;
}

/** A backend as a plug-in: `simBackend(options)` and its like return one. */
export type BackendFactory = (components: BackendComponents) => TranslationBackend;
