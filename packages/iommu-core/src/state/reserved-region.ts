/** Reserved regions of an endpoint, and checking what the host declares. */
import { VirtioError } from '@viommu/virtqueue';
import {
  VIRTIO_IOMMU_RESV_MEM_T_MSI,
  VIRTIO_IOMMU_RESV_MEM_T_RESERVED,
} from '../protocol/constants.ts';

/** Virtual addresses that the driver must not map for an endpoint ("Property RESV_MEM"). Ends are inclusive. */
export interface ReservedRegion {
  /** VIRTIO_IOMMU_RESV_MEM_T_RESERVED, or VIRTIO_IOMMU_RESV_MEM_T_MSI for the doorbell of its interrupts. */
  readonly subtype: number;
  readonly start: number;
  readonly end: number;
}

/**
 * @throws VirtioError RESERVED_REGION
 */
export function checkReservedRegions(endpoint: number, regions: readonly ReservedRegion[]): void {
  const fail = (problem: string): never => {
    throw new VirtioError('RESERVED_REGION', `Endpoint ${endpoint}: ${problem}`);
  };
  for (const { subtype, start, end } of regions) {
    if (subtype !== VIRTIO_IOMMU_RESV_MEM_T_RESERVED && subtype !== VIRTIO_IOMMU_RESV_MEM_T_MSI) {
      fail(`reserved region subtype ${subtype} is unknown; use 0 (reserved) or 1 (MSI)`);
    }
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      fail(`reserved region ${start}..${end} must be two whole numbers, the end not below`);
    }
  }
  // The device SHOULD NOT present more than one VIRTIO_IOMMU_RESV_MEM_T_MSI property per endpoint.
  if (regions.filter((region) => region.subtype === VIRTIO_IOMMU_RESV_MEM_T_MSI).length > 1) {
    fail('more than one MSI region; declare one and make the others reserved');
  }
  // The device SHOULD NOT present multiple RESV_MEM properties that overlap each other for the same endpoint.
  const ordered = [...regions].sort((a, b) => a.start - b.start);
  if (ordered.some((region, index) => index > 0 && region.start <= ordered[index - 1]!.end)) {
    fail('reserved regions overlap; merge them');
  }
}
