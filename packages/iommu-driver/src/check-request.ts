/** What the standard forbids a driver to send: misuse by the program above, found before the device hears of it. */
import { VirtioError } from '@viommu/virtqueue';
import type { IommuConfig } from './iommu-config.ts';
import {
  VIRTIO_IOMMU_F_MMIO,
  VIRTIO_IOMMU_MAP_F_MMIO,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_MAP_F_WRITE,
} from './protocol.ts';

/** "the driver MUST NOT send requests with domain less than domain_range.start or greater than domain_range.end" */
export function checkDomain({ domainRange: { start, end } }: IommuConfig, domain: number): void {
  if (domain >= start && domain <= end) return;
  throw new VirtioError('DOMAIN_RANGE', `domain ${domain}: the IOMMU has ${start} to ${end}`);
}

/** "the driver MUST NOT send requests with virt_start less than input_range.start or virt_end greater than input_range.end" */
export function checkInputRange(
  { inputRange: { start, end } }: IommuConfig,
  virtStart: number,
  virtEnd: number,
): void {
  if (virtStart >= start && virtEnd <= end) return;
  throw new VirtioError(
    'INPUT_RANGE',
    `0x${virtStart.toString(16)} to 0x${virtEnd.toString(16)}: the IOMMU translates 0x${start.toString(16)} to 0x${end.toString(16)}`,
  );
}

/** "virt_end MUST be strictly greater than virt_start." */
export function checkMapRange(virtStart: number, virtEnd: number): void {
  if (virtEnd > virtStart) return;
  throw new VirtioError(
    'MAP_RANGE',
    `0x${virtStart.toString(16)} to 0x${virtEnd.toString(16)}: a mapping has two bytes or more`,
  );
}

/** "If the VIRTIO_IOMMU_F_MMIO feature isn't negotiated, the driver MUST NOT use the VIRTIO_IOMMU_MAP_F_MMIO flag." */
export function checkMapFlags(features: bigint, flags: number): void {
  const access = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;
  const hasMmio = (features & VIRTIO_IOMMU_F_MMIO) !== 0n;
  const known = hasMmio ? access | VIRTIO_IOMMU_MAP_F_MMIO : access;
  if ((flags & ~known) === 0) return;
  throw new VirtioError('MAP_FLAGS', `flags ${flags} of a mapping: this IOMMU knows ${known}`);
}
