/** VfioContainer: what user space maps by its own addresses, as the type 1 IOMMU driver of Linux keeps it (type1v2). */
import { EEXIST, EFAULT, EINVAL, ENOSPC } from './errno.ts';
import { MappingList } from './mapping-list.ts';
import type { PhysicalRun, UserMemory } from './user-memory.ts';
import type { IovaRange, VfioGroup, VfioIommu } from './vfio-iommu.ts';

/** The device may read the memory. The value equals ACCESS_READ and VIRTIO_IOMMU_MAP_F_READ. */
export const VFIO_DMA_MAP_FLAG_READ = 1;
/** The device may write the memory. The value equals ACCESS_WRITE and VIRTIO_IOMMU_MAP_F_WRITE. */
export const VFIO_DMA_MAP_FLAG_WRITE = 2;

/** `dma_entry_limit` of the kernel, unless its administrator set another. */
const DEFAULT_DMA_ENTRY_LIMIT = 65535;

/** Shows what a container does to the IOMMU below. Ends are inclusive. */
export interface VfioObserver {
  /** A physically contiguous run was mapped. */
  mapped?(iova: number, iovaEnd: number, userAddress: number, physical: number): void;
  unmapped?(iova: number, iovaEnd: number): void;
}

export interface VfioContainerOptions {
  readonly iommu: VfioIommu;
  /** The memory of the process that holds the container. */
  readonly userMemory: UserMemory;
  /** Mappings that may exist at once; 65535 by default. */
  readonly dmaEntryLimit?: number;
  readonly observer?: VfioObserver;
}

/** VFIO_IOMMU_GET_INFO. */
export interface VfioIommuInfo {
  readonly pageSizeMask: bigint;
  readonly iovaRanges: readonly IovaRange[];
  /** Mappings that can still be made. */
  readonly dmaAvailable: number;
}

/** Groups that are in a container already: the kernel takes none twice. */
const contained = new WeakSet<VfioGroup>();

/**
 * Answers are as those of ioctl: 0 or more, or a negative errno. Nothing throws, and what is refused has changed nothing.
 * Addresses and sizes are in bytes.
 */
export class VfioContainer {
  readonly #iommu: VfioIommu;
  readonly #userMemory: UserMemory;
  readonly #limit: number;
  readonly #observer: VfioObserver | undefined;
  readonly #groups = new Set<VfioGroup>();
  readonly #mappings = new MappingList();
  readonly #run: PhysicalRun = { physical: 0, length: 0 };

  constructor(options: VfioContainerOptions) {
    this.#iommu = options.iommu;
    this.#userMemory = options.userMemory;
    this.#limit = options.dmaEntryLimit ?? DEFAULT_DMA_ENTRY_LIMIT;
    this.#observer = options.observer;
  }

  /** VFIO_GROUP_SET_CONTAINER. -EINVAL for a group that is in a container already, else what the IOMMU answers. */
  attachGroup(group: VfioGroup): number {
    if (contained.has(group)) return -EINVAL;
    const answer = this.#iommu.attachGroup(group);
    if (answer < 0) return answer;
    contained.add(group);
    this.#groups.add(group);
    return 0;
  }

  /** VFIO_GROUP_UNSET_CONTAINER. With the last group all mappings go. -EINVAL for a group that is not in here. */
  detachGroup(group: VfioGroup): number {
    if (!this.#groups.has(group)) return -EINVAL;
    if (this.#groups.size === 1) this.unmapAll();
    this.#groups.delete(group);
    contained.delete(group);
    this.#iommu.detachGroup(group);
    return 0;
  }

  /** VFIO_IOMMU_GET_INFO. */
  get info(): VfioIommuInfo {
    const { pageSizeMask, iovaRanges } = this.#iommu;
    return { pageSizeMask, iovaRanges, dmaAvailable: this.#limit - this.#mappings.count };
  }

  /**
   * VFIO_IOMMU_MAP_DMA. What is tried, and in which order, is the kernel's:
   * - -EINVAL without a group, without a flag, for arguments that are not whole pages, or that wrap around
   * - -EEXIST when a part of the range is mapped already
   * - -ENOSPC when there are as many mappings as the limit allows
   * - -EINVAL when the IOMMU has no such addresses
   * - -EFAULT when the process has no such memory, and what the IOMMU answers
   *
   * @param flags VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE or both
   */
  mapDma(userAddress: number, iova: number, size: number, flags: number): number {
    const known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
    if (this.#groups.size === 0 || flags === 0 || (flags & ~known) !== 0) return -EINVAL;
    if (!this.#isPages(userAddress) || !this.#isRange(iova, size)) return -EINVAL;
    const iovaEnd = iova + size - 1;
    if (userAddress + size > Number.MAX_SAFE_INTEGER) return -EINVAL;
    if (this.#mappings.overlaps(iova, iovaEnd)) return -EEXIST;
    if (this.#mappings.count >= this.#limit) return -ENOSPC;
    if (!this.#iommu.iovaRanges.some(({ start, end }) => start <= iova && iovaEnd <= end)) {
      return -EINVAL;
    }
    const answer = this.#mapRuns(userAddress, iova, size, flags);
    if (answer === 0) this.#mappings.insert(iova, iovaEnd);
    return answer;
  }

  /**
   * VFIO_IOMMU_UNMAP_DMA: the mappings within a range. -EINVAL for a range that is not whole pages or would cut a mapping.
   *
   * @returns bytes that were mapped, which may be 0
   */
  unmapDma(iova: number, size: number): number {
    if (this.#groups.size === 0 || !this.#isRange(iova, size)) return -EINVAL;
    const end = iova + size - 1;
    if (this.#mappings.cutBy(iova, end)) return -EINVAL;
    return this.#mappings.remove(iova, end, this.#forget);
  }

  /** VFIO_IOMMU_UNMAP_DMA with VFIO_DMA_UNMAP_FLAG_ALL. @returns bytes that were mapped */
  unmapAll(): number {
    return this.#mappings.remove(0, Number.MAX_SAFE_INTEGER, this.#forget);
  }

  readonly #forget = (iova: number, iovaEnd: number): void => {
    this.#iommu.unmap(iova, iovaEnd);
    this.#observer?.unmapped?.(iova, iovaEnd);
  };

  /** One mapping of the IOMMU per physically contiguous run; all of them or none. */
  #mapRuns(userAddress: number, iova: number, size: number, flags: number): number {
    const run = this.#run;
    for (let done = 0; done < size; done += run.length) {
      const start = iova + done;
      const isThere = this.#userMemory.pin(userAddress + done, size - done, flags, run);
      const answer = isThere
        ? this.#iommu.map(start, start + run.length - 1, run.physical, flags)
        : -EFAULT;
      if (answer < 0) {
        if (done > 0) this.#forget(iova, start - 1);
        return answer;
      }
      this.#observer?.mapped?.(start, start + run.length - 1, userAddress + done, run.physical);
    }
    return 0;
  }

  /** "Whole pages": multiples of the finest page of the IOMMU. */
  #isPages(value: number): boolean {
    const { pageSizeMask } = this.#iommu;
    const page = Number(pageSizeMask & -pageSizeMask);
    return Number.isSafeInteger(value) && value >= 0 && value % page === 0;
  }

  #isRange(iova: number, size: number): boolean {
    if (!this.#isPages(iova) || !this.#isPages(size) || size === 0) return false;
    return iova + size <= Number.MAX_SAFE_INTEGER;
  }
}
