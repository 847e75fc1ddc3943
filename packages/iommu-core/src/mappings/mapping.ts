/** What the table of mappings takes. Types only. */

/** Virtual addresses, the end inclusive, in bytes from 0 to 2^53 - 1. */
export interface AddressRange {
  virtStart: number;
  virtEnd: number;
}

/** What a MAP makes. */
export interface Mapping extends AddressRange {
  physStart: number;
  /** VIRTIO_IOMMU_MAP_F_*. */
  flags: number;
}
