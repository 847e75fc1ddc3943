/** A domain: one virtual address space and the endpoints attached to it ("ATTACH request"). */
import type { Endpoint } from './endpoint.ts';
import { MappingTable } from './mapping-table.ts';

export class Domain {
  readonly id: number;
  /** Made with VIRTIO_IOMMU_ATTACH_F_BYPASS: accesses go by untranslated, and nothing can be mapped. */
  readonly bypass: boolean;
  /** Never empty while the domain is in the table: the last endpoint to leave takes the domain with it. */
  readonly endpoints: Endpoint[] = [];
  readonly mappings = new MappingTable();

  constructor(id: number, bypass: boolean) {
    this.id = id;
    this.bypass = bypass;
  }
}
