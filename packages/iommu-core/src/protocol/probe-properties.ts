/** The property list that PROBE answers for an endpoint ("PROBE properties"), made once. */
import type { ReservedRegion } from '../state/reserved-region.ts';
import { VIRTIO_IOMMU_PROBE_T_RESV_MEM } from './constants.ts';
import {
  RESV_MEM_END,
  RESV_MEM_LENGTH,
  RESV_MEM_LENGTH_VALUE,
  RESV_MEM_SIZE,
  RESV_MEM_START,
  RESV_MEM_SUBTYPE,
  RESV_MEM_TYPE,
} from './layout.ts';

export function encodeProbeProperties(regions: readonly ReservedRegion[]): Uint8Array {
  const bytes = new Uint8Array(regions.length * RESV_MEM_SIZE);
  const view = new DataView(bytes.buffer);
  regions.forEach((region, index) => {
    const property = index * RESV_MEM_SIZE;
    view.setUint16(property + RESV_MEM_TYPE, VIRTIO_IOMMU_PROBE_T_RESV_MEM, true);
    view.setUint16(property + RESV_MEM_LENGTH, RESV_MEM_LENGTH_VALUE, true);
    view.setUint8(property + RESV_MEM_SUBTYPE, region.subtype);
    view.setBigUint64(property + RESV_MEM_START, BigInt(region.start), true);
    view.setBigUint64(property + RESV_MEM_END, BigInt(region.end), true);
  });
  return bytes;
}
