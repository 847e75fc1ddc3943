/** PROBE: tells the driver what is special about an endpoint ("PROBE request"). */
import {
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_OK,
} from '../protocol/constants.ts';
import { REQ_PROBE_ENDPOINT } from '../protocol/layout.ts';
import type { IommuState } from '../state/iommu-state.ts';

/**
 * The `reserved` field is never looked at: "The device MUST ignore field reserved of a PROBE request."
 *
 * @param reply zeroed; the property list is put at its start, and on failure nothing
 * @param propertiesLength bytes of the driver's `properties`, which is what stands before the tail
 * @returns VIRTIO_IOMMU_S_*
 */
export function probe(
  state: IommuState,
  request: DataView,
  reply: Uint8Array,
  propertiesLength: number,
): number {
  // If the properties list is smaller than probe_size, the device SHOULD NOT write any property [...] S_INVAL.
  if (propertiesLength < state.limits.probeSize) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // If the endpoint identified by endpoint doesn't exist, then the device SHOULD reject the request [...] S_NOENT.
  const endpoint = state.endpoints.get(request.getUint32(REQ_PROBE_ENDPOINT, true));
  if (endpoint === undefined) {
    return VIRTIO_IOMMU_S_NOENT;
  }
  reply.set(endpoint.properties);
  return VIRTIO_IOMMU_S_OK;
}
