/** The contract UserMemory: the memory of a process, as its kernel pins it for DMA. Types and docs only. */

/** Filled by {@link UserMemory.pin}; the caller owns and reuses it. */
export interface PhysicalRun {
  /** Physical address of the first byte: what the IOMMU below the container maps to. */
  physical: number;
  /** Bytes from there on that are physically contiguous, 1 to the length asked for. */
  length: number;
}

/** Implemented for a VMM by the host's kernel, and for a program in the guest by the guest's. */
export interface UserMemory {
  /**
   * Finds the run of physical memory that begins at a user address, and keeps it in place while it is mapped for DMA.
   *
   * @param userAddress in bytes, 0 to 2^53 - 1
   * @param length bytes wanted, at least 1
   * @param flags VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE or both: what the device is to do with it
   * @param out filled when the answer is true
   * @returns false when the process has nothing there, or not for that access
   */
  pin(userAddress: number, length: number, flags: number, out: PhysicalRun): boolean;
}
