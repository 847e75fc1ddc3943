/** The driver's side of the request queue, as cheap as can be: 128 requests in fixed places, written as 32-bit fields. */
import {
  VIRTIO_IOMMU_T_ATTACH,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_UNMAP,
} from '@viommu/iommu-core';
import { DOMAIN, ENDPOINT } from './mappings.ts';
import { CHAINS, readableBuffer } from './ring-memory.ts';
import { SplitDriver } from './split-driver.ts';

// Device-readable parts in bytes, and their fields as 32-bit words.
// struct virtio_iommu_req_map { head; le32 domain; le64 virt_start, virt_end, phys_start; le32 flags; tail; }
const REQ_MAP_READABLE = 36;
// struct virtio_iommu_req_unmap { head; le32 domain; le64 virt_start, virt_end; u8 reserved[4]; tail; }
const REQ_UNMAP_READABLE = 28;
// struct virtio_iommu_req_attach { head; le32 domain; le32 endpoint; le32 flags; u8 reserved[4]; tail; }
const REQ_ATTACH_READABLE = 20;
const READ_WRITE = 3;
const WORDS_PER_REQUEST = 16;
const HIGH = 2 ** 32;

/** Slots below `maps` are for MAP requests, the others for UNMAP; ATTACH fits anywhere. */
export class RequestDriver {
  readonly #words: Uint32Array;
  readonly #ring: SplitDriver;

  constructor(buffer: ArrayBufferLike, maps: number) {
    const lengths = Array.from({ length: CHAINS }, (_, slot) =>
      slot < maps ? REQ_MAP_READABLE : REQ_UNMAP_READABLE,
    );
    this.#ring = new SplitDriver(buffer, false, lengths);
    this.#words = new Uint32Array(buffer, readableBuffer(0), WORDS_PER_REQUEST * CHAINS);
  }

  attach(slot: number, endpoint = ENDPOINT, domain = DOMAIN): void {
    const at = slot * WORDS_PER_REQUEST;
    this.#words.fill(0, at, at + REQ_ATTACH_READABLE / 4);
    this.#words[at] = VIRTIO_IOMMU_T_ATTACH;
    this.#words[at + 1] = domain;
    this.#words[at + 2] = endpoint;
  }

  map(slot: number, virtStart: number, virtEnd: number, physStart: number, domain = DOMAIN): void {
    const words = this.#words;
    const at = slot * WORDS_PER_REQUEST;
    words[at] = VIRTIO_IOMMU_T_MAP;
    words[at + 1] = domain;
    words[at + 2] = virtStart;
    words[at + 3] = virtStart / HIGH;
    words[at + 4] = virtEnd;
    words[at + 5] = virtEnd / HIGH;
    words[at + 6] = physStart;
    words[at + 7] = physStart / HIGH;
    words[at + 8] = READ_WRITE;
  }

  unmap(slot: number, virtStart: number, virtEnd: number): void {
    const words = this.#words;
    const at = slot * WORDS_PER_REQUEST;
    words[at] = VIRTIO_IOMMU_T_UNMAP;
    words[at + 1] = DOMAIN;
    words[at + 2] = virtStart;
    words[at + 3] = virtStart / HIGH;
    words[at + 4] = virtEnd;
    words[at + 5] = virtEnd / HIGH;
  }

  /** Makes the requests in the first `count` slots available. */
  submit(count: number): void {
    this.#ring.refill(count);
  }
}
