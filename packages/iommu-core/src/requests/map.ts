/** MAP: makes one mapping in a domain, or changes nothing ("MAP request"). */
import { readLe64 } from '@viommu/virtqueue';
import {
  VIRTIO_IOMMU_F_MMIO,
  VIRTIO_IOMMU_MAP_F_MMIO,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_MAP_F_WRITE,
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_S_RANGE,
} from '../protocol/constants.ts';
import {
  REQ_MAP_DOMAIN,
  REQ_MAP_FLAGS,
  REQ_MAP_PHYS_START,
  REQ_MAP_VIRT_END,
  REQ_MAP_VIRT_START,
} from '../protocol/layout.ts';
import type { IommuState } from '../state/iommu-state.ts';

/** Largest guest-physical address that can be mapped to; so far sums of addresses are exact. */
const PHYS_END = 2 ** 52 - 1;

/** @returns VIRTIO_IOMMU_S_* */
export function map(state: IommuState, request: DataView): number {
  const virtStart = readLe64(request, REQ_MAP_VIRT_START);
  const virtEnd = readLe64(request, REQ_MAP_VIRT_END);
  const physStart = readLe64(request, REQ_MAP_PHYS_START);
  const flags = request.getUint32(REQ_MAP_FLAGS, true);
  const { pagesPerByte, inputRange, maxMappings } = state.limits;

  // If the device doesn't recognize a flags bit, it MUST reject the request [...] S_INVAL. VIRTIO_IOMMU_MAP_F_MMIO "is
  // only available when the VIRTIO_IOMMU_F_MMIO feature has been negotiated".
  const access = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;
  const known = state.negotiated(VIRTIO_IOMMU_F_MMIO) ? access | VIRTIO_IOMMU_MAP_F_MMIO : access;
  if ((flags & ~known) !== 0) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // virt_end is inclusive; with a granule of one byte both may be equal ("legal [...] to map one byte at a time").
  if (virtEnd < virtStart) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // Any mapping request to virtual addresses outside of [input_range] fails. No status is named.
  if (virtStart < inputRange.start || virtEnd > inputRange.end) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // If virt_start, phys_start or (virt_end + 1) is not aligned on the page granularity [...] S_RANGE.
  if (
    !isAligned(virtStart, pagesPerByte) ||
    !isAligned(physStart, pagesPerByte) ||
    !isAligned(virtEnd + 1, pagesPerByte)
  ) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // The range defined by phys_start and phys_end should be within the guest-physical address space.
  if (physStart + (virtEnd - virtStart) > PHYS_END) {
    return VIRTIO_IOMMU_S_RANGE;
  }
  // If domain does not exist, the device SHOULD reject the request [...] S_NOENT.
  const domain = state.findDomain(request.getUint32(REQ_MAP_DOMAIN, true));
  if (domain === undefined) {
    return VIRTIO_IOMMU_S_NOENT;
  }
  // If the domain is a bypass domain, the device SHOULD reject the request [...] S_INVAL.
  if (domain.bypass) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // If a mapping already exists in the requested range, the device SHOULD reject the request [...] S_INVAL.
  const { mapping } = state;
  mapping.virtStart = virtStart;
  mapping.virtEnd = virtEnd;
  mapping.physStart = physStart;
  mapping.flags = flags;
  if (domain.mappings.overlaps(mapping)) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  // The device SHOULD reject a MAP request that overlaps a RESV_MEM region. No status is named.
  if (domain.reserved.overlaps(mapping)) {
    return VIRTIO_IOMMU_S_INVAL;
  }
  if (state.mappingCount >= maxMappings) {
    return VIRTIO_IOMMU_S_NOMEM;
  }
  const status = state.backend.map(domain.id, mapping);
  if (status === VIRTIO_IOMMU_S_OK) {
    domain.mappings.insert(mapping);
    state.mappingCount += 1;
  }
  return status;
}

/** Exact for every address below 2^53, as a granule is a power of two. */
function isAligned(address: number, pagesPerByte: number): boolean {
  const page = address * pagesPerByte;
  return Math.floor(page) === page;
}
