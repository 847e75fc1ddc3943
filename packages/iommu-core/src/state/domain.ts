/** A domain is one virtual address space, an endpoint is a device that may be attached to one; each knows the other. */
import { MappingTable } from '../mappings/mapping-table.ts';
import type { ReservedRegion } from './reserved-region.ts';
import { ReservedRegions } from './reserved-regions.ts';

/** What one endpoint's DMA came to. Numbers grow from construction on; a reset does not clear them. */
export interface EndpointCounters {
  /** Bytes accessed, or shown by a window, through mappings of the guest. */
  translatedBytes: number;
  /** Bytes that went by untranslated. */
  bypassedBytes: number;
  /** The part of `bypassedBytes` that went by while the guest's IOMMU driver was up (DRIVER_OK). */
  bypassedWhileDriverUp: number;
  /** Accesses that were refused. */
  faults: number;
}

export class Endpoint {
  readonly id: number;
  readonly reserved: readonly ReservedRegion[];
  /** The property list of a PROBE answer, without the zeroes behind it. */
  readonly properties: Uint8Array;
  readonly counters: EndpointCounters = {
    translatedBytes: 0,
    bypassedBytes: 0,
    bypassedWhileDriverUp: 0,
    faults: 0,
  };
  domain: Domain | undefined;
  /** The host program took it away. Another endpoint may have its ID by now. */
  removed = false;
  /** What its view has to add to its domain's generation. */
  ownGeneration = 0;
  /** The driver attached it at least once since DRIVER_OK. */
  attachedSinceDriverUp = false;
  /** The operator was told, since DRIVER_OK, that it bypasses without ever having been attached. */
  bypassWarned = false;

  constructor(id: number, reserved: readonly ReservedRegion[], properties: Uint8Array) {
    this.id = id;
    this.reserved = reserved;
    this.properties = properties;
  }

  /** Grows when an address may no longer mean what it meant to this endpoint. */
  get generation(): number {
    return this.ownGeneration + (this.domain?.generation ?? 0);
  }
}

/** One virtual address space and the endpoints attached to it ("ATTACH request"). */
export class Domain {
  readonly id: number;
  /** Made with VIRTIO_IOMMU_ATTACH_F_BYPASS: accesses go by untranslated, and nothing can be mapped. */
  readonly bypass: boolean;
  /** Never empty while the domain is in the table: the last endpoint to leave takes the domain with it. */
  readonly endpoints = new Set<Endpoint>();
  readonly mappings: MappingTable;
  /** What is reserved for any of the endpoints. */
  readonly reserved = new ReservedRegions();
  /** Grows with each UNMAP: one count for all endpoints, of which there may be many. */
  generation = 0;

  /** @param granule the finest mapping in bytes */
  constructor(id: number, bypass: boolean, granule: number) {
    this.id = id;
    this.bypass = bypass;
    this.mappings = new MappingTable(granule);
  }
}
