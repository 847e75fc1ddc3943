/** simBackend: a physical IOMMU in software, behind the TranslationBackend contract. */
import {
  type BackendCapabilities,
  type BackendFactory,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';
import { VirtioError } from '@viommu/virtqueue';
import type { FaultLog } from './fault-log.ts';
import { MappingPool } from './mapping-pool.ts';
import { NodePool } from './node-pool.ts';
import { levelSpans, NOT_MAPPED, PageTable } from './page-table.ts';

/** 4 KiB, 2 MiB, 1 GiB: a leaf of each of the three finest levels. */
const DEFAULT_PAGE_SIZE_MASK = 0x4020_1000n;
const DEFAULT_INPUT_BITS = 48;
const DEFAULT_MAX_NODES = 65536;

export interface SimBackendOptions {
  /** Sizes that mappings can have, as `page_size_mask`; the lowest bit is the granule. 4 KiB, 2 MiB, 1 GiB by default. */
  readonly pageSizeMask?: bigint;
  /** Bits of a virtual address, up to 52; 48 by default. */
  readonly inputBits?: number;
  /** Page-table nodes of 2 KiB that may exist at once; 65536 by default (128 MiB). Then MAP and ATTACH answer NOMEM. */
  readonly maxNodes?: number;
  /** Where refused accesses are kept. */
  readonly faultLog?: FaultLog;
}

/** An endpoint's accesses go by untranslated, or through a table. */
interface SimDomain {
  /** undefined for a bypass domain. */
  readonly table: PageTable | undefined;
}

/** @throws VirtioError SIM_OPTIONS when an option makes no sense */
export function simBackend(options: SimBackendOptions = {}): BackendFactory {
  checkOptions(options);
  return () => new SimBackend(options);
}

/** Shown by {@link SimBackend.visit}; ends are inclusive. */
export type MappingVisitor = (
  virtStart: number,
  virtEnd: number,
  physStart: number,
  flags: number,
) => void;

export class SimBackend implements TranslationBackend {
  readonly capabilities: BackendCapabilities;
  readonly generation = 0;
  readonly #nodes: NodePool;
  readonly #mappings = new MappingPool();
  readonly #spans: readonly number[];
  readonly #faultLog: FaultLog | undefined;
  readonly #endpoints = new Set<number>();
  readonly #domains = new Map<number, SimDomain>();
  readonly #attached = new Map<number, SimDomain>();
  #bypass = false;

  /** @param options as {@link checkOptions} lets through */
  constructor(options: SimBackendOptions) {
    const pageSizeMask = options.pageSizeMask ?? DEFAULT_PAGE_SIZE_MASK;
    const inputBits = options.inputBits ?? DEFAULT_INPUT_BITS;
    this.capabilities = { pageSizeMask, inputEnd: 2 ** inputBits - 1, mmio: true };
    this.#spans = levelSpans(inputBits, granuleBits(pageSizeMask));
    this.#nodes = new NodePool(options.maxNodes ?? DEFAULT_MAX_NODES);
    this.#faultLog = options.faultLog;
  }

  addEndpoint(endpoint: number): void {
    this.#endpoints.add(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.#endpoints.delete(endpoint);
    this.#attached.delete(endpoint);
  }

  createDomain(domain: number, bypass: boolean): number {
    if (!bypass && this.#nodes.available < 1) {
      return VIRTIO_IOMMU_S_NOMEM;
    }
    const table = bypass ? undefined : new PageTable(this.#nodes, this.#mappings, this.#spans);
    this.#domains.set(domain, { table });
    return VIRTIO_IOMMU_S_OK;
  }

  destroyDomain(domain: number): void {
    this.#domains.get(domain)!.table?.destroy(this.capabilities.inputEnd);
    this.#domains.delete(domain);
  }

  attach(endpoint: number, domain: number): number {
    this.#attached.set(endpoint, this.#domains.get(domain)!);
    return VIRTIO_IOMMU_S_OK;
  }

  detach(endpoint: number): void {
    this.#attached.delete(endpoint);
  }

  /** Refuses as a whole, before anything has changed, when the worst case would not fit the budget. */
  map(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number {
    const table = this.#domains.get(domain)!.table!;
    if (this.#nodes.available < table.nodesPerMapping) {
      return VIRTIO_IOMMU_S_NOMEM;
    }
    table.insert(this.#mappings.add(virtStart, virtEnd, physStart, flags));
    return VIRTIO_IOMMU_S_OK;
  }

  unmap(domain: number, virtStart: number, virtEnd: number): number {
    this.#domains.get(domain)!.table!.remove(virtStart, virtEnd);
    return VIRTIO_IOMMU_S_OK;
  }

  /** Shows each mapping of a domain within a range; none of a bypass domain. */
  visit(domain: number, virtStart: number, virtEnd: number, visitor: MappingVisitor): void {
    const { starts, ends, deltas, flags } = this.#mappings;
    this.#domains.get(domain)?.table?.visit(virtStart, virtEnd, (mapping) => {
      const start = starts[mapping]!;
      visitor(start, ends[mapping]!, start + deltas[mapping]!, flags[mapping]!);
    });
  }

  setBypass(bypass: boolean): void {
    this.#bypass = bypass;
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    const domain = this.#attached.get(endpoint);
    if (domain === undefined && !(this.#bypass && this.#endpoints.has(endpoint))) {
      this.#faultLog?.record(endpoint, address, access, TRANSLATION_NO_DOMAIN);
      return TRANSLATION_NO_DOMAIN;
    }
    const table = domain?.table;
    if (table === undefined) {
      out.physical = address;
      out.length = length;
      out.bypass = true;
      return TRANSLATION_OK;
    }
    const mapping = address > this.capabilities.inputEnd ? NOT_MAPPED : table.lookup(address);
    const mappings = this.#mappings;
    if (mapping === NOT_MAPPED || (mappings.flags[mapping]! & access) !== access) {
      this.#faultLog?.record(endpoint, address, access, TRANSLATION_NO_MAPPING);
      return TRANSLATION_NO_MAPPING;
    }
    out.physical = address + mappings.deltas[mapping]!;
    out.length = Math.min(length, mappings.ends[mapping]! - address + 1);
    out.bypass = false;
    return TRANSLATION_OK;
  }
}

/** @throws VirtioError SIM_OPTIONS when an option makes no sense */
export function checkOptions(options: SimBackendOptions): void {
  const { pageSizeMask = DEFAULT_PAGE_SIZE_MASK, inputBits = DEFAULT_INPUT_BITS } = options;
  const { maxNodes = DEFAULT_MAX_NODES } = options;
  if (!Number.isInteger(inputBits) || inputBits < 1 || inputBits > 52) {
    throw new VirtioError('SIM_OPTIONS', `inputBits ${inputBits}: choose 1 to 52`);
  }
  if (pageSizeMask <= 0n || pageSizeMask >> 64n !== 0n || granuleBits(pageSizeMask) >= inputBits) {
    throw new VirtioError(
      'SIM_OPTIONS',
      `pageSizeMask 0x${pageSizeMask.toString(16)}: set a bit below bit ${inputBits}, and none above bit 63`,
    );
  }
  if (!Number.isInteger(maxNodes) || maxNodes < 1 || maxNodes > 2 ** 21) {
    throw new VirtioError('SIM_OPTIONS', `maxNodes ${maxNodes}: choose 1 to ${2 ** 21}`);
  }
}

/** Number of the lowest bit. */
function granuleBits(pageSizeMask: bigint): number {
  return (pageSizeMask & -pageSizeMask).toString(2).length - 1;
}
