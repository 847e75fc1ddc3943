/** UNMAP: removes the mappings within a range, or none when one would be split ("UNMAP request"). */
import { readLe64 } from '@viommu/virtqueue';
import { SELECTED_NONE, SELECTED_SPLIT } from '../mappings/mapping-table.ts';
import {
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_S_RANGE,
} from '../protocol/constants.ts';
import { REQ_UNMAP_DOMAIN, REQ_UNMAP_VIRT_END, REQ_UNMAP_VIRT_START } from '../protocol/layout.ts';
import type { IommuState } from '../state/iommu-state.ts';

/**
 * The range may spill over unmapped addresses, beyond `input_range` too, up to 2^64 - 1. The `reserved` field is not
 * looked at: the standard lets a device either refuse or perform the request.
 *
 * @returns VIRTIO_IOMMU_S_*
 */
export function unmap(state: IommuState, request: DataView): number {
  const virtStart = readLe64(request, REQ_UNMAP_VIRT_START);
  const virtEnd = readLe64(request, REQ_UNMAP_VIRT_END);

  // If domain does not exist, the device SHOULD set the request status to S_NOENT.
  const domain = state.findDomain(request.getUint32(REQ_UNMAP_DOMAIN, true));
  if (domain === undefined) {
    return VIRTIO_IOMMU_S_NOENT;
  }
  // If the domain is a bypass domain, the device SHOULD reject the request [...] S_INVAL.
  if (domain.bypass) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // A range that ends before it starts is none; no status is named.
  if (virtEnd < virtStart) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // What lies outside `input_range` was never mapped.
  const { granule, pagesPerByte, inputRange } = state.limits;
  const range = state.mapping;
  range.virtStart = Math.max(virtStart, inputRange.start);
  range.virtEnd = Math.min(virtEnd, inputRange.end);
  const selection = domain.mappings.select(range);
  // If a mapping affected by the range is not covered in its entirety by the range [...] S_RANGE, and SHOULD NOT remove
  // any mapping.
  if (selection === SELECTED_SPLIT) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // If part of the range or the full range is not covered by an existing mapping, then the device SHOULD remove all
  // mappings affected by the range and set the request status to S_OK.
  if (selection === SELECTED_NONE) {
    return VIRTIO_IOMMU_S_OK;
  }
  // Whole mappings are whole granules, whatever the range is.
  range.virtStart = Math.ceil(range.virtStart * pagesPerByte) * granule;
  range.virtEnd = Math.floor((range.virtEnd + 1) * pagesPerByte) * granule - 1;
  const status = state.backend.unmap(domain.id, range);
  if (status === VIRTIO_IOMMU_S_OK) {
    state.mappingCount -= domain.mappings.remove(range);
    domain.generation += 1;
  }
  return status;
}
