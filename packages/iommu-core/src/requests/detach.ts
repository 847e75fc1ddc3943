/** DETACH: takes an endpoint out of its domain; the last one takes the domain with it ("DETACH request"). */
import {
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_OK,
} from '../protocol/constants.ts';
import { REQ_DETACH_DOMAIN, REQ_DETACH_ENDPOINT } from '../protocol/layout.ts';
import type { IommuState } from '../state/iommu-state.ts';

/**
 * The `reserved` field is never looked at: "The device MUST ignore reserved."
 *
 * @returns VIRTIO_IOMMU_S_*
 */
export function detach(state: IommuState, request: DataView): number {
  // If the endpoint identified by endpoint doesn't exist, then the device MUST reject the request [...] S_NOENT.
  const endpoint = state.endpoints.get(request.getUint32(REQ_DETACH_ENDPOINT, true));
  if (endpoint === undefined) {
    return VIRTIO_IOMMU_S_NOENT;
  }
  // If the domain doesn't exist, or if the endpoint isn't attached to this domain, then the device MAY set [...] S_INVAL.
  const domain = state.findDomain(request.getUint32(REQ_DETACH_DOMAIN, true));
  if (domain === undefined || endpoint.domain !== domain) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  const status = state.backend.detach(endpoint.id);
  if (status === VIRTIO_IOMMU_S_OK) {
    state.leave(endpoint);
  }
  return status;
}
