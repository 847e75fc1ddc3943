/** TopologyCollector: gathers the IOMMUs and PCI functions that a vendor's table names. */
import { hex } from '../describe.ts';
import { formatBdf } from '../pci-address.ts';
import type { PciEndpointRange, Topology, VendorIommu } from '../topology.ts';
import type { VendorTableOptions } from './vendor-options.ts';

/** Functions of one segment. */
export interface SegmentRange {
  readonly segment: number;
  readonly bdfStart: number;
  /** Inclusive. */
  readonly bdfEnd: number;
  /** Index of their IOMMU. */
  readonly iommu: number;
}

/** The model has one range for each function that shares its ID with others; more than so many are not written out. */
const SHARED_ID_FUNCTIONS = 4096;

export class TopologyCollector {
  readonly #options: VendorTableOptions;
  readonly #iommus: VendorIommu[] = [];
  /** By model and base. */
  readonly #indexes = new Map<string, number>();
  readonly #endpoints: PciEndpointRange[] = [];
  #sharedLeft = SHARED_ID_FUNCTIONS;

  constructor(options: VendorTableOptions) {
    this.#options = options;
  }

  /** The index of an IOMMU; structures with the same registers are about the same one. */
  iommu(model: VendorIommu['model'], base: number): number {
    const key = `${model} ${base}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.#iommus.length);
    return this.#iommus.push({ kind: 'vendor', model, base }) - 1;
  }

  /** Where ranges overlap the one that was added later counts. */
  add({ segment, iommu, ...bounds }: SegmentRange, endpointStart: number): void {
    const segments = { segmentStart: segment, segmentEnd: segment };
    this.#endpoints.push({ kind: 'pci', ...segments, ...bounds, endpointStart, iommu });
  }

  /** Functions that their IOMMU knows by one ID, all of them. @param offset of what says so */
  addShared(offset: number, range: SegmentRange, endpoint: number): void {
    const { bdfStart, bdfEnd } = range;
    const count = bdfEnd - bdfStart + 1;
    if (count > this.#sharedLeft) {
      this.passOver(
        offset,
        `${count} functions from ${formatBdf(bdfStart)} on share the ID ${hex(endpoint)}: no more than ${SHARED_ID_FUNCTIONS} such functions of a table are written out`,
      );
      return;
    }
    this.#sharedLeft -= count;
    for (let bdf = bdfStart; bdf <= bdfEnd; bdf++) {
      this.add({ ...range, bdfStart: bdf, bdfEnd: bdf }, endpoint);
    }
  }

  passOver(offset: number, reason: string): void {
    this.#options.passedOver?.({ offset, reason });
  }

  topology(): Topology {
    return { iommus: this.#iommus, endpoints: this.#endpoints };
  }
}
