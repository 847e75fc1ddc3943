/** The contract VfioIommu: what a container maps into: one address space of an IOMMU. Types and docs only. */

/** Devices that no IOMMU can tell apart, and which therefore go to one container together. */
export interface VfioGroup {
  /** The endpoints' IDs, as the IOMMU below the container knows them. */
  readonly endpoints: readonly number[];
}

/** A range of addresses, in bytes, the end inclusive. */
export interface IovaRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One address space of an IOMMU, for one container. On the host the physical IOMMU implements it, in a guest the driver
 * of the virtual one: a container cannot tell which.
 *
 * Methods that answer a number answer 0, or a negative errno and have changed nothing then.
 */
export interface VfioIommu {
  /** Bit n: pages of 2^n bytes can be mapped; the lowest bit is the granule of every argument. */
  readonly pageSizeMask: bigint;
  /** What can be mapped: the IOMMU's addresses without what is reserved for the groups; ascending. */
  readonly iovaRanges: readonly IovaRange[];

  /** Lets the group's endpoints use the address space. */
  attachGroup(group: VfioGroup): number;
  detachGroup(group: VfioGroup): void;

  /**
   * Maps a range that overlaps none.
   *
   * @param flags VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE or both
   */
  map(iova: number, iovaEnd: number, physical: number, flags: number): number;
  /** Removes a range that was mapped, by one call of {@link map} or by several. */
  unmap(iova: number, iovaEnd: number): void;
}
