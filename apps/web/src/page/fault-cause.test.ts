import type { WatchedFault, WatchedRequest } from '@viommu/inspector';
import {
  VIRTIO_IOMMU_FAULT_F_READ,
  VIRTIO_IOMMU_FAULT_F_WRITE,
  VIRTIO_IOMMU_FAULT_R_MAPPING,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_UNMAP,
} from '@viommu/iommu-core';
import { describe, expect, it } from 'vitest';
import { faultCause } from './fault-cause.ts';

const DOMAIN = 7;

function request(
  sequence: number,
  type: number,
  virtStart: number,
  virtEnd: number,
): WatchedRequest {
  const bytes = new Uint8Array(36);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint32(4, DOMAIN, true);
  view.setBigUint64(8, BigInt(virtStart), true);
  view.setBigUint64(16, BigInt(virtEnd), true);
  if (type === VIRTIO_IOMMU_T_MAP) view.setUint32(32, VIRTIO_IOMMU_MAP_F_READ, true);
  const lengths = { writableLength: 4, usedLength: 4 };
  const moment = { time: sequence, operation: sequence };
  return { ...moment, sequence, iommu: 0, type, status: 0, bytes, ...lengths };
}

function fault(address: number, operation: number, access: number): WatchedFault {
  const what = { reason: VIRTIO_IOMMU_FAULT_R_MAPPING, access, address, delivered: true };
  const where = { iommu: 0, endpoint: 0x28, domain: DOMAIN };
  return { time: operation, operation, sequence: 0, ...where, ...what };
}

const LOG = [
  request(0, VIRTIO_IOMMU_T_MAP, 0x1000, 0x1fff),
  request(1, VIRTIO_IOMMU_T_MAP, 0x3000, 0x3fff),
  request(2, VIRTIO_IOMMU_T_UNMAP, 0, 0x1fff),
];

describe('faultCause', () => {
  it('names the UNMAP that took the mapping away, and no later request', () => {
    const read = VIRTIO_IOMMU_FAULT_F_READ;
    const { text, request: found } = faultCause(fault(0x1800, 5, read), LOG);
    expect([text, found?.sequence]).toEqual(['an UNMAP took the mapping away', 2]);
    expect(faultCause(fault(0x1800, 1, read), LOG).request?.sequence).toBe(0);
  });

  it('names the mapping that does not let it write', () => {
    const { text, request: found } = faultCause(fault(0x3000, 5, VIRTIO_IOMMU_FAULT_F_WRITE), LOG);
    expect([text, found?.sequence]).toEqual(['the mapping there is not for writes', 1]);
  });

  it('says that nothing was ever mapped only if it knows all requests', () => {
    const denied = fault(0x9000, 5, VIRTIO_IOMMU_FAULT_F_READ);
    expect(faultCause(denied, LOG).text).toBe('nothing was ever mapped there in domain 7');
    expect(faultCause(denied, LOG.slice(1)).text).toBe(
      'none of the last 2 requests mapped anything there',
    );
    expect(faultCause({ ...denied, domain: undefined }, LOG).request).toBeUndefined();
  });
});
