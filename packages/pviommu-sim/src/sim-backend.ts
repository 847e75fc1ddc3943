/** simBackend: a physical IOMMU in software, behind the TranslationBackend contract: it walks the core's own mappings. */
import {
  type BackendCapabilities,
  type BackendFactory,
  type DomainMappings,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
  VIRTIO_IOMMU_S_OK,
} from '@viommu/iommu-core';
import { VirtioError } from '@viommu/virtqueue';
import type { FaultLog } from './fault-log.ts';

/** 4 KiB, 2 MiB, 1 GiB. */
const DEFAULT_PAGE_SIZE_MASK = 0x4020_1000n;
const DEFAULT_INPUT_BITS = 48;
/** No endpoint has this ID. */
const NO_ENDPOINT = -1;

export interface SimBackendOptions {
  /** Sizes that mappings can have, as `page_size_mask`; the lowest bit is the granule. 4 KiB, 2 MiB, 1 GiB by default. */
  readonly pageSizeMask?: bigint;
  /** Bits of a virtual address, up to 52; 48 by default. */
  readonly inputBits?: number;
  /** Where refused accesses are kept. */
  readonly faultLog?: FaultLog;
}

/** An endpoint's accesses go by untranslated, or by mappings. */
interface SimDomain {
  /** undefined for a bypass domain. */
  readonly mappings: DomainMappings | undefined;
}

/** @throws VirtioError SIM_OPTIONS when an option makes no sense */
export function simBackend(options: SimBackendOptions = {}): BackendFactory {
  checkOptions(options);
  return () => new SimBackend(options);
}

/** Keeps who is attached where, and no mapping: it walks those of the core. */
export class SimBackend implements TranslationBackend {
  readonly capabilities: BackendCapabilities;
  readonly generation = 0;
  readonly #faultLog: FaultLog | undefined;
  readonly #endpoints = new Set<number>();
  readonly #domains = new Map<number, SimDomain>();
  readonly #attached = new Map<number, SimDomain>();
  /** What the last translation looked up in `#attached`: accesses of an endpoint come in bursts. */
  #lastEndpoint = NO_ENDPOINT;
  #lastDomain: SimDomain | undefined;
  #lastMappings: DomainMappings | undefined;
  #bypass = false;

  /** @param options as {@link checkOptions} lets through */
  constructor(options: SimBackendOptions) {
    const pageSizeMask = options.pageSizeMask ?? DEFAULT_PAGE_SIZE_MASK;
    const inputBits = options.inputBits ?? DEFAULT_INPUT_BITS;
    this.capabilities = { pageSizeMask, inputEnd: 2 ** inputBits - 1, mmio: true };
    this.#faultLog = options.faultLog;
  }

  addEndpoint(endpoint: number): void {
    this.#endpoints.add(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.#endpoints.delete(endpoint);
    this.detach(endpoint);
  }

  createDomain(domain: number, bypass: boolean, mappings: DomainMappings): number {
    this.#domains.set(domain, { mappings: bypass ? undefined : mappings });
    return VIRTIO_IOMMU_S_OK;
  }

  destroyDomain(domain: number): void {
    this.#domains.delete(domain);
  }

  attach(endpoint: number, domain: number): number {
    this.#attached.set(endpoint, this.#domains.get(domain)!);
    this.#lastEndpoint = NO_ENDPOINT;
    return VIRTIO_IOMMU_S_OK;
  }

  detach(endpoint: number): void {
    this.#attached.delete(endpoint);
    this.#lastEndpoint = NO_ENDPOINT;
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
    if (endpoint !== this.#lastEndpoint) this.#lookUp(endpoint);
    const mappings = this.#lastMappings;
    let code = TRANSLATION_NO_DOMAIN;
    if (mappings !== undefined) {
      code = mappings.translate(address, length, access, out);
    } else if (this.#goesBy(endpoint)) {
      out.physical = address;
      out.length = length;
      out.bypass = true;
      code = TRANSLATION_OK;
    }
    if (code !== TRANSLATION_OK) this.#faultLog?.record(endpoint, address, access, code);
    return code;
  }

  #lookUp(endpoint: number): void {
    this.#lastEndpoint = endpoint;
    this.#lastDomain = this.#attached.get(endpoint);
    this.#lastMappings = this.#lastDomain?.mappings;
  }

  /** Whether accesses of the endpoint that was looked up, which has no mappings, go by untranslated. */
  #goesBy(endpoint: number): boolean {
    return this.#lastDomain !== undefined || (this.#bypass && this.#endpoints.has(endpoint));
  }
}

/** @throws VirtioError SIM_OPTIONS when an option makes no sense */
export function checkOptions(options: SimBackendOptions): void {
  const { pageSizeMask = DEFAULT_PAGE_SIZE_MASK, inputBits = DEFAULT_INPUT_BITS } = options;
  if (!Number.isInteger(inputBits) || inputBits < 1 || inputBits > 52) {
    throw new VirtioError('SIM_OPTIONS', `inputBits ${inputBits}: choose 1 to 52`);
  }
  if (pageSizeMask <= 0n || pageSizeMask >> 64n !== 0n || granuleBits(pageSizeMask) >= inputBits) {
    throw new VirtioError(
      'SIM_OPTIONS',
      `pageSizeMask 0x${pageSizeMask.toString(16)}: set a bit below bit ${inputBits}, and none above bit 63`,
    );
  }
}

/** Number of the lowest bit. */
function granuleBits(pageSizeMask: bigint): number {
  return (pageSizeMask & -pageSizeMask).toString(2).length - 1;
}
