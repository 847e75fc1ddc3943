/** The contract GuestMemory: how a device model sees the memory of its guest. Types and docs only, but for two constants. */

/** The access reads guest memory. The value equals VIRTIO_IOMMU_MAP_F_READ and VIRTIO_IOMMU_FAULT_F_READ. */
export const ACCESS_READ = 1;
/** The access writes guest memory. The value equals VIRTIO_IOMMU_MAP_F_WRITE and VIRTIO_IOMMU_FAULT_F_WRITE. */
export const ACCESS_WRITE = 2;

/** What {@link GuestMemory.window} answers when the address is absent or the access is not allowed. */
export const WINDOW_DENIED = -1;
/** What {@link GuestMemory.window} answers when the bytes exist but cannot be shown in place: use read and write. */
export const WINDOW_INVISIBLE = 0;

/**
 * A run of guest memory shown in place. The caller owns the object, hands it in again and again, and so nothing is
 * allocated per access. Contents are valid until the memory's `generation` changes.
 */
export interface MemoryWindow {
  /** All bytes of the region that the run lies in. */
  bytes: Uint8Array;
  /** The same bytes for little-endian loads and stores. */
  view: DataView;
  /**
   * The same bytes as words of 32 bits, but for less than a word at the end; empty when the region does not begin at a
   * multiple of 4 in its buffer. Faster than `view` where fields are aligned.
   */
  words: Int32Array;
  /** Byte offset of the run in `bytes` and in `view`. */
  offset: number;
  /** Length of the run in bytes. */
  length: number;
}

/**
 * Guest memory by address. Implemented over arrays, over the shared memory of a VMM, over messages to a VMM that shares
 * none, and by the DMA view of an endpoint behind an IOMMU, which translates first. A device model cannot tell these
 * apart, and so cannot forget that it is translated.
 *
 * Addresses and lengths are in bytes, integers from 0 to 2^53 - 1. Any number that the guest can produce is legal input:
 * nothing here throws. Lengths are at least 1.
 */
export interface GuestMemory {
  /**
   * Grows whenever a window got earlier may no longer be what its address means: a region is gone, a mapping is removed.
   * A holder of windows compares it before each use and asks anew when it differs.
   */
  readonly generation: number;

  /**
   * Whether other threads or processes access these bytes while the device does. Rings are then read and written with
   * barriers. It changes only when `generation` does.
   */
  readonly isShared: boolean;

  /**
   * Shows the longest run from `address` on, at most `length` bytes, that can be accessed in place.
   *
   * @param access {@link ACCESS_READ}, {@link ACCESS_WRITE} or both
   * @param out filled when the answer is positive, otherwise left alone
   * @returns the length of the run in bytes, {@link WINDOW_INVISIBLE} or {@link WINDOW_DENIED}
   */
  window(address: number, length: number, access: number, out: MemoryWindow): number;

  /**
   * Copies guest memory out, across regions and mappings.
   *
   * @returns false when a byte was absent or not readable; `target` may then be partly filled
   */
  read(address: number, target: Uint8Array, targetOffset: number, length: number): boolean;

  /**
   * Copies into guest memory, across regions and mappings.
   *
   * @returns false when a byte was absent or not writable; the bytes before it may have been written
   */
  write(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean;
}

/** A run of addresses at which there is memory. */
export interface MemoryRegion {
  /** First address. */
  readonly start: number;
  /** Last address. */
  readonly end: number;
  /** {@link ACCESS_READ}, {@link ACCESS_WRITE} or both. */
  readonly access: number;
}

/** Guest-physical memory that can say where it is: what a VMM hands to its devices. */
export interface MappedMemory extends GuestMemory {
  /** All regions, ascending. */
  readonly regions: readonly MemoryRegion[];
}
