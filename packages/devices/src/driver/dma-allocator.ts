/** The contract DmaAllocator: where a driver takes memory that its device can reach. Types and docs only. */

export interface DmaMemory {
  /** Where the driver sees it. */
  readonly address: number;
  /** Where the device sees it; the same behind no IOMMU. */
  readonly deviceAddress: number;
}

/** Satisfied by the DMA API of an IOMMU driver; memory that the device reaches directly needs a few lines. */
export interface DmaAllocator {
  /** @param length in bytes */
  allocate(length: number): DmaMemory;
}
