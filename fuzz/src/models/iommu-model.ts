/** IommuModel: the rules of requests and translations, naive: lists, searched from end to end. Numbers are the standard's. */

const [OK, UNSUPP, INVAL, RANGE, NOENT, NOMEM] = [0, 2, 4, 5, 6, 8] as const;
const PHYS_END = 2 ** 52 - 1;

export interface ModelLimits {
  readonly granule: number;
  readonly input: ModelRange;
  readonly domain: ModelRange;
  readonly maxMappings: number;
}

/** What the driver accepted. */
export interface ModelFeatures {
  readonly mapUnmap: boolean;
  readonly mmio: boolean;
  readonly bypassConfig: boolean;
}

/** Ends are inclusive. */
interface ModelRange {
  readonly start: number;
  readonly end: number;
}

/** What the driver must not map for an endpoint. */
export interface ModelReserved extends ModelRange {
  /** VIRTIO_IOMMU_RESV_MEM_T_*. */
  readonly subtype: number;
}

export interface ModelMapping extends ModelRange {
  readonly phys: number;
  readonly flags: number;
}

interface ModelDomain {
  readonly id: number;
  readonly bypass: boolean;
  endpoints: number[];
  mappings: ModelMapping[];
}

/** Where an access goes: a bypassed one where it is; or VIRTIO_IOMMU_FAULT_R_*. */
export type ModelTranslation =
  | { readonly fault: 1 | 2 }
  | { readonly phys: number; readonly last: number; readonly bypass: boolean };

export class IommuModel {
  bypass = true;
  readonly endpoints = new Map<number, readonly ModelReserved[]>();
  domains: ModelDomain[] = [];
  readonly #limits: ModelLimits;
  readonly #features: ModelFeatures;

  constructor(limits: ModelLimits, features: ModelFeatures) {
    this.#limits = limits;
    this.#features = features;
  }

  attach(id: number, endpoint: number, flags: number, reserved: number): number {
    const known = this.#features.bypassConfig ? 1 : 0;
    if (reserved !== 0 || (flags & ~known) !== 0) return INVAL;
    if (!this.endpoints.has(endpoint)) return NOENT;
    if (id < this.#limits.domain.start || id > this.#limits.domain.end) return RANGE;
    const existing = this.#domain(id);
    if (existing && existing.bypass !== (flags === 1)) return INVAL;
    if (existing?.endpoints.includes(endpoint)) return OK;
    const reservedRanges = this.endpoints.get(endpoint)!;
    if (existing?.mappings.some((each) => reservedRanges.some((range) => touches(each, range)))) {
      return UNSUPP;
    }
    this.#leave(endpoint);
    const domain = existing ?? { id, bypass: flags === 1, endpoints: [], mappings: [] };
    if (!existing) this.domains.push(domain);
    domain.endpoints.push(endpoint);
    return OK;
  }

  detach(id: number, endpoint: number): number {
    if (!this.endpoints.has(endpoint)) return NOENT;
    if (!this.#domain(id)?.endpoints.includes(endpoint)) return INVAL;
    this.#leave(endpoint);
    return OK;
  }

  map(id: number, { start, end, phys, flags }: ModelMapping): number {
    const { granule, input, maxMappings } = this.#limits;
    if ((flags & ~(this.#features.mmio ? 7 : 3)) !== 0) return INVAL;
    if (end < start || start < input.start || end > input.end) return RANGE;
    if (start % granule !== 0 || (end + 1) % granule !== 0 || phys % granule !== 0) return RANGE;
    if (phys + (end - start) > PHYS_END) return RANGE;
    const domain = this.#domain(id);
    if (!domain) return NOENT;
    if (domain.bypass) return INVAL;
    const taken = domain.endpoints.flatMap((endpoint) => this.endpoints.get(endpoint)!);
    if ([...domain.mappings, ...taken].some((each) => touches(each, { start, end }))) return INVAL;
    if (this.mappingCount >= maxMappings) return NOMEM;
    domain.mappings.push({ start, end, phys, flags });
    return OK;
  }

  unmap(id: number, start: number, end: number): number {
    const domain = this.#domain(id);
    if (!domain) return NOENT;
    if (domain.bypass) return INVAL;
    if (end < start) return RANGE;
    const affected = domain.mappings.filter((mapping) => touches(mapping, { start, end }));
    if (affected.some((mapping) => mapping.start < start || mapping.end > end)) return RANGE;
    domain.mappings = domain.mappings.filter((mapping) => !affected.includes(mapping));
    return OK;
  }

  get mappingCount(): number {
    return this.domains.reduce((count, { mappings }) => count + mappings.length, 0);
  }

  /** @returns the last address that is translated in the same way, too */
  translate(endpoint: number, address: number, access: number): ModelTranslation {
    const domain = this.domains.find(({ endpoints }) => endpoints.includes(endpoint));
    if (!domain && !(this.bypass && this.endpoints.has(endpoint))) return { fault: 1 };
    if (!domain || domain.bypass) {
      return { phys: address, last: Number.POSITIVE_INFINITY, bypass: true };
    }
    const mapping = domain.mappings.find(({ start, end }) => start <= address && address <= end);
    if (!mapping || (mapping.flags & access) !== access) return { fault: 2 };
    return { phys: mapping.phys + (address - mapping.start), last: mapping.end, bypass: false };
  }

  addEndpoint(endpoint: number, reserved: readonly ModelReserved[]): void {
    this.endpoints.set(endpoint, reserved);
  }

  removeEndpoint(endpoint: number): void {
    this.#leave(endpoint);
    this.endpoints.delete(endpoint);
  }

  /** "When the device is reset, endpoints are not attached to any domain." */
  reset(): void {
    this.domains = [];
  }

  #domain(id: number): ModelDomain | undefined {
    return this.domains.find((domain) => domain.id === id);
  }

  #leave(endpoint: number): void {
    for (const domain of this.domains) {
      domain.endpoints = domain.endpoints.filter((each) => each !== endpoint);
    }
    this.domains = this.domains.filter(({ endpoints }) => endpoints.length > 0);
  }
}

function touches(left: ModelRange, right: ModelRange): boolean {
  return left.start <= right.end && right.start <= left.end;
}
