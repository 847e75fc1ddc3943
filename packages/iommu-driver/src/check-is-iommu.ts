/** checkIsIommu: what a driver looks at first. */
import { VirtioError } from '@viommu/virtqueue';
import { VIRTIO_ID_IOMMU } from '@viommu/virtqueue/device';
import type { DriverTransport } from '@viommu/virtqueue/driver';

/** @throws VirtioError `NOT_AN_IOMMU` */
export function checkIsIommu({ deviceId }: DriverTransport): void {
  if (deviceId === VIRTIO_ID_IOMMU) return;
  throw new VirtioError(
    'NOT_AN_IOMMU',
    `the device has type ${deviceId}, an IOMMU has ${VIRTIO_ID_IOMMU}`,
  );
}
