/** ATTACH: puts an endpoint into a domain, which is made if there is none ("ATTACH request"). */
import {
  VIRTIO_IOMMU_ATTACH_F_BYPASS,
  VIRTIO_IOMMU_F_BYPASS_CONFIG,
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_S_RANGE,
  VIRTIO_IOMMU_S_UNSUPP,
} from '../protocol/constants.ts';
import {
  REQ_ATTACH_DOMAIN,
  REQ_ATTACH_ENDPOINT,
  REQ_ATTACH_FLAGS,
  REQ_ATTACH_RESERVED,
} from '../protocol/layout.ts';
import { Domain, type Endpoint } from '../state/domain.ts';
import type { IommuState } from '../state/iommu-state.ts';

/**
 * All or nothing: on any other status than S_OK the endpoint is where it was. An endpoint that is in the domain already
 * stays there with the mappings as they are.
 *
 * @returns VIRTIO_IOMMU_S_*
 */
export function attach(state: IommuState, request: DataView): number {
  const domainId = request.getUint32(REQ_ATTACH_DOMAIN, true);
  const flags = request.getUint32(REQ_ATTACH_FLAGS, true);

  // If the reserved field of an ATTACH request is not zero, the device MUST reject the request [...] S_INVAL.
  if (request.getUint32(REQ_ATTACH_RESERVED, true) !== 0) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // If the device does not recognize a flags bit, it MUST reject the request [...] S_INVAL. The one flag there is needs
  // VIRTIO_IOMMU_F_BYPASS_CONFIG negotiated.
  const known = state.negotiated(VIRTIO_IOMMU_F_BYPASS_CONFIG) ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0;
  if ((flags & ~known) !== 0) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // If the endpoint identified by endpoint doesn't exist, the device MUST reject the request [...] S_NOENT.
  const endpoint = state.endpoints.get(request.getUint32(REQ_ATTACH_ENDPOINT, true));
  if (endpoint === undefined) {
    return VIRTIO_IOMMU_S_NOENT;
  }
  // domain_range describes the values supported in a domain field. No status is named for others.
  const { domainRange } = state.limits;
  if (domainId < domainRange.start || domainId > domainRange.end) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // If the domain already exists and the VIRTIO_IOMMU_ATTACH_F_BYPASS flag is not consistent with that domain, the
  // device SHOULD reject the request [...] S_INVAL.
  const bypass = (flags & VIRTIO_IOMMU_ATTACH_F_BYPASS) !== 0;
  const existing = state.findDomain(domainId);
  if (existing !== undefined && existing.bypass !== bypass) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  if (existing !== undefined && existing === endpoint.domain) {
    return VIRTIO_IOMMU_S_OK;
  }
  // If properties of the endpoint are compatible with properties of other endpoints already attached to the requested
  // domain, then the device SHOULD attach [...] Otherwise the device SHOULD reject the request [...] S_UNSUPP. Not
  // compatible: what is mapped there already is reserved for this endpoint.
  if (existing !== undefined && mapsReservedRegion(existing, endpoint)) {
    return VIRTIO_IOMMU_S_UNSUPP;
  }
  return existing === undefined
    ? attachToNew(state, endpoint, new Domain(domainId, bypass, state.limits.granule))
    : attachTo(state, endpoint, existing);
}

function mapsReservedRegion(domain: Domain, endpoint: Endpoint): boolean {
  return endpoint.reserved.some(({ start, end }) =>
    domain.mappings.overlaps({ virtStart: start, virtEnd: end }),
  );
}

function attachToNew(state: IommuState, endpoint: Endpoint, domain: Domain): number {
  const created = state.backend.createDomain(domain.id, domain.bypass, domain.mappings);
  if (created !== VIRTIO_IOMMU_S_OK) {
    return created;
  }
  const attached = attachTo(state, endpoint, domain);
  if (attached !== VIRTIO_IOMMU_S_OK) {
    state.backend.destroyDomain(domain.id);
  }
  return attached;
}

function attachTo(state: IommuState, endpoint: Endpoint, domain: Domain): number {
  const status = state.backend.attach(endpoint.id, domain.id);
  if (status === VIRTIO_IOMMU_S_OK) {
    state.join(endpoint, domain);
  }
  return status;
}
