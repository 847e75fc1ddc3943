/** IommuModel: what a virtio-iommu promises, on a page: flat lists, searched from end to end. Numbers are the standard's. */
import type * as Model from './iommu-rules.ts';

const [OK, UNSUPP, INVAL, RANGE, NOENT, NOMEM] = [0, 2, 4, 5, 6, 8] as const;

export class IommuModel {
  bypass = true;
  /** What the host has plugged in, with what is reserved for it. */
  readonly endpoints = new Map<number, readonly Model.Reserved[]>();
  /** Where each endpoint is attached. A domain is there as long as an endpoint is in it. */
  domains = new Map<number, Model.Domain>();
  mappings: readonly Model.Entry[] = [];
  readonly #rules: Model.Rules;

  constructor(rules: Model.Rules) {
    this.#rules = rules;
  }

  attach(id: number, endpoint: number, flags: number, reserved: number): number {
    const { domain, bypassConfig } = this.#rules;
    const bypass = flags === 1;
    if (reserved !== 0 || flags > (bypassConfig ? 1 : 0)) return INVAL;
    if (!this.endpoints.has(endpoint)) return NOENT;
    if (id < domain.start || id > domain.end) return RANGE;
    if ((this.#domain(id)?.bypass ?? bypass) !== bypass) return INVAL;
    if (this.domains.get(endpoint)?.id === id) return OK;
    if (hits(this.#mapped(id), this.endpoints.get(endpoint)!).length > 0) return UNSUPP;
    this.leave(endpoint);
    this.domains.set(endpoint, { id, bypass });
    return OK;
  }

  detach(id: number, endpoint: number): number {
    if (!this.endpoints.has(endpoint)) return NOENT;
    if (this.domains.get(endpoint)?.id !== id) return INVAL;
    this.leave(endpoint);
    return OK;
  }

  map(id: number, { start, end, phys, flags }: Model.Mapping): number {
    const { granule, input, maxMappings, mmio } = this.#rules;
    if (flags > (mmio ? 7 : 3)) return INVAL;
    if (end < start || start < input.start || end > input.end) return RANGE;
    if ([start, end + 1, phys].some((edge) => edge % granule !== 0)) return RANGE;
    if (phys + (end - start) >= 2 ** 52) return RANGE;
    const domain = this.#domain(id);
    if (!domain) return NOENT;
    const members = [...this.domains.keys()].filter((each) => this.domains.get(each)!.id === id);
    const reserved = members.flatMap((endpoint) => this.endpoints.get(endpoint)!);
    const taken = hits([...this.#mapped(id), ...reserved], [{ start, end }]);
    if (domain.bypass || taken.length > 0) return INVAL;
    if (this.mappings.length >= maxMappings) return NOMEM;
    this.mappings = [...this.mappings, { domain: id, start, end, phys, flags }];
    return OK;
  }

  unmap(id: number, start: number, end: number): number {
    const domain = this.#domain(id);
    if (!domain) return NOENT;
    if (domain.bypass) return INVAL;
    if (end < start) return RANGE;
    const gone = hits(this.#mapped(id), [{ start, end }]);
    if (gone.some((mapping) => mapping.start < start || mapping.end > end)) return RANGE;
    this.mappings = this.mappings.filter((mapping) => !gone.includes(mapping));
    return OK;
  }

  translate(endpoint: number, address: number, access: number): Model.Translation {
    const domain = this.domains.get(endpoint);
    if (!domain && !(this.bypass && this.endpoints.has(endpoint))) return { fault: 1 };
    if (!domain || domain.bypass) return { phys: address, last: Infinity, bypass: true };
    const [mapping] = hits(this.#mapped(domain.id), [{ start: address, end: address }]);
    if (!mapping || (mapping.flags & access) !== access) return { fault: 2 };
    return { phys: mapping.phys + (address - mapping.start), last: mapping.end, bypass: false };
  }

  /** "When the device is reset, endpoints are not attached to any domain." `bypass` stays, but when the machine is reset. */
  reset(isSystem: boolean): void {
    for (const endpoint of this.endpoints.keys()) this.leave(endpoint);
    this.bypass ||= isSystem;
  }

  #domain = (id: number) => [...this.domains.values()].find((domain) => domain.id === id);
  #mapped = (id: number) => this.mappings.filter(({ domain }) => domain === id);

  /** Leaves its domain. The last one takes the domain's mappings along; the host unplugs an endpoint that has left. */
  leave(endpoint: number): void {
    this.domains.delete(endpoint);
    this.mappings = this.mappings.filter(({ domain }) => this.#domain(domain));
  }
}

/** Those that have an address in common with one of the others. */
function hits<Range extends Model.Range>(ranges: readonly Range[], others: readonly Model.Range[]) {
  const isHit = (one: Range) =>
    others.some(({ start, end }) => one.start <= end && start <= one.end);
  return ranges.filter(isHit);
}
