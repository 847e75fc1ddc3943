/** The device-readable parts of requests, as a driver would write them, each the same bytes used again. */
import { writeLe64 } from '@viommu/virtqueue';
import { VIRTIO_IOMMU_ATTACH_F_BYPASS } from '../protocol/constants.ts';
import {
  REQ_ATTACH_DOMAIN,
  REQ_ATTACH_ENDPOINT,
  REQ_ATTACH_FLAGS,
  REQ_ATTACH_READABLE,
  REQ_MAP_DOMAIN,
  REQ_MAP_FLAGS,
  REQ_MAP_PHYS_START,
  REQ_MAP_READABLE,
  REQ_MAP_VIRT_END,
  REQ_MAP_VIRT_START,
} from '../protocol/layout.ts';

export class RequestBytes {
  readonly #attach = new DataView(new ArrayBuffer(REQ_ATTACH_READABLE));
  readonly #map = new DataView(new ArrayBuffer(REQ_MAP_READABLE));

  attach(domain: number, endpoint: number, bypass: boolean): DataView {
    this.#attach.setUint32(REQ_ATTACH_DOMAIN, domain, true);
    this.#attach.setUint32(REQ_ATTACH_ENDPOINT, endpoint, true);
    this.#attach.setUint32(REQ_ATTACH_FLAGS, bypass ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0, true);
    return this.#attach;
  }

  /** @param fields those of a DomainSnapshot @param index where the mapping begins in them */
  map(domain: number, fields: readonly number[], index: number): DataView {
    this.#map.setUint32(REQ_MAP_DOMAIN, domain, true);
    writeLe64(this.#map, REQ_MAP_VIRT_START, fields[index]!);
    writeLe64(this.#map, REQ_MAP_VIRT_END, fields[index + 1]!);
    writeLe64(this.#map, REQ_MAP_PHYS_START, fields[index + 2]!);
    this.#map.setUint32(REQ_MAP_FLAGS, fields[index + 3]!, true);
    return this.#map;
  }
}
