/** NaiveBackend: the TranslationBackend that is obviously right, for tests to compare others with. */
import {
  type BackendCapabilities,
  type BackendFactory,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
} from '../backend.ts';

interface NaiveMapping {
  readonly virtStart: number;
  readonly virtEnd: number;
  readonly physStart: number;
  readonly flags: number;
}

interface NaiveDomain {
  readonly bypass: boolean;
  mappings: NaiveMapping[];
}

/** @param capabilities 4 KiB to 2^48 - 1 by default */
export function naiveBackend(capabilities: Partial<BackendCapabilities> = {}): BackendFactory {
  return () => new NaiveBackend(capabilities);
}

export class NaiveBackend implements TranslationBackend {
  readonly capabilities: BackendCapabilities;
  readonly generation = 0;
  readonly domains = new Map<number, NaiveDomain>();
  readonly endpoints = new Set<number>();
  readonly attached = new Map<number, number>();
  bypass = false;

  constructor(capabilities: Partial<BackendCapabilities> = {}) {
    this.capabilities = {
      pageSizeMask: 0x1000n,
      inputEnd: 2 ** 48 - 1,
      mmio: true,
      ...capabilities,
    };
  }

  addEndpoint(endpoint: number): void {
    this.endpoints.add(endpoint);
  }

  removeEndpoint(endpoint: number): void {
    this.endpoints.delete(endpoint);
    this.attached.delete(endpoint);
  }

  createDomain(domain: number, bypass: boolean): number {
    this.domains.set(domain, { bypass, mappings: [] });
    return 0;
  }

  destroyDomain(domain: number): void {
    this.domains.delete(domain);
  }

  attach(endpoint: number, domain: number): number {
    this.attached.set(endpoint, domain);
    return 0;
  }

  detach(endpoint: number): void {
    this.attached.delete(endpoint);
  }

  map(
    domain: number,
    virtStart: number,
    virtEnd: number,
    physStart: number,
    flags: number,
  ): number {
    this.domains.get(domain)!.mappings.push({ virtStart, virtEnd, physStart, flags });
    return 0;
  }

  unmap(domain: number, virtStart: number, virtEnd: number): number {
    const found = this.domains.get(domain)!;
    found.mappings = found.mappings.filter(
      (mapping) => mapping.virtStart > virtEnd || mapping.virtEnd < virtStart,
    );
    return 0;
  }

  setBypass(bypass: boolean): void {
    this.bypass = bypass;
  }

  translate(
    endpoint: number,
    address: number,
    length: number,
    access: number,
    out: TranslationResult,
  ): number {
    const id = this.attached.get(endpoint);
    const domain = id === undefined ? undefined : this.domains.get(id)!;
    if (domain === undefined && !(this.bypass && this.endpoints.has(endpoint))) {
      return TRANSLATION_NO_DOMAIN;
    }
    if (domain === undefined || domain.bypass) {
      Object.assign(out, { physical: address, length, bypass: true });
      return TRANSLATION_OK;
    }
    const mapping = domain.mappings.find(
      (candidate) => candidate.virtStart <= address && address <= candidate.virtEnd,
    );
    if (mapping === undefined || (mapping.flags & access) !== access) {
      return TRANSLATION_NO_MAPPING;
    }
    out.physical = address - mapping.virtStart + mapping.physStart;
    out.length = Math.min(length, mapping.virtEnd - address + 1);
    out.bypass = false;
    return TRANSLATION_OK;
  }
}
