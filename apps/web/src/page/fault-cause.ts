/** Why an access was denied, as far as the request log tells it. */
import { addressField, type WatchedFault, type WatchedRequest } from '@viommu/inspector';
import {
  VIRTIO_IOMMU_FAULT_F_WRITE,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_MAP_F_WRITE,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_UNMAP,
} from '@viommu/iommu-core';

export interface FaultCause {
  readonly text: string;
  /** The request that made it so. */
  readonly request: WatchedRequest | undefined;
}

export function faultCause(fault: WatchedFault, requests: readonly WatchedRequest[]): FaultCause {
  if (fault.domain === undefined) {
    return { text: 'no domain is attached, and such endpoints reach nothing', request: undefined };
  }
  const request = requests.findLast(
    (one) =>
      one.iommu === fault.iommu &&
      one.operation <= fault.operation &&
      one.time <= fault.time &&
      one.status === VIRTIO_IOMMU_S_OK &&
      (one.type === VIRTIO_IOMMU_T_MAP || one.type === VIRTIO_IOMMU_T_UNMAP) &&
      addressField(one, 'domain') === fault.domain &&
      addressField(one, 'virt_start') <= fault.address &&
      addressField(one, 'virt_end') >= fault.address,
  );
  if (request === undefined) {
    const isWhole = requests[0] === undefined || requests[0].sequence === 0;
    const text = isWhole
      ? `nothing was ever mapped there in domain ${fault.domain}`
      : `none of the last ${requests.length} requests mapped anything there`;
    return { text, request: undefined };
  }
  if (request.type === VIRTIO_IOMMU_T_UNMAP) {
    return { text: 'an UNMAP took the mapping away', request };
  }
  const flags = addressField(request, 'flags');
  const isWrite = fault.access === VIRTIO_IOMMU_FAULT_F_WRITE;
  const wanted = isWrite ? VIRTIO_IOMMU_MAP_F_WRITE : VIRTIO_IOMMU_MAP_F_READ;
  return (flags & wanted) === 0
    ? { text: `the mapping there is not for ${isWrite ? 'writes' : 'reads'}`, request }
    : { text: 'a mapping was there, of an earlier domain of that number, or too short', request };
}
