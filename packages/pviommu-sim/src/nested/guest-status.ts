/** What a guest is told when the host's container refuses. */
import {
  VIRTIO_IOMMU_S_DEVERR,
  VIRTIO_IOMMU_S_FAULT,
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOMEM,
} from '@viommu/iommu-core';
import { EFAULT, EINVAL, ENOMEM, ENOSPC } from '@viommu/vfio';

/**
 * @param errno negative, as a container answers it
 * @returns VIRTIO_IOMMU_S_*
 */
export function guestStatus(errno: number): number {
  switch (-errno) {
    case ENOMEM:
    case ENOSPC:
      return VIRTIO_IOMMU_S_NOMEM;
    case EFAULT:
      return VIRTIO_IOMMU_S_FAULT;
    case EINVAL:
      return VIRTIO_IOMMU_S_INVAL;
    default:
      return VIRTIO_IOMMU_S_DEVERR;
  }
}
