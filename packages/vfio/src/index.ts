export {
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EIO,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  ERANGE,
} from './errno.ts';
export { withoutReserved } from './iova-ranges.ts';
export type { PhysicalRun, UserMemory } from './user-memory.ts';
export type { VfioContainerOptions, VfioIommuInfo, VfioObserver } from './vfio-container.ts';
export {
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VfioContainer,
} from './vfio-container.ts';
export type { IovaRange, VfioGroup, VfioIommu } from './vfio-iommu.ts';
