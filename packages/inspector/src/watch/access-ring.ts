/** AccessRing: the latest accesses, in arrays of numbers, since there are many more of them than anybody looks at. */
import type { WatchedAccess } from './inspector-messages.ts';

const CAPACITY = 2048;
const FIELDS = 8;
const NO_DOMAIN = -1;

export class AccessRing {
  readonly #fields = new Float64Array(CAPACITY * FIELDS);
  #count = 0;
  #taken = 0;

  push(
    time: number,
    iommu: number,
    endpoint: number,
    domain: number | undefined,
    address: number,
    length: number,
    access: number,
    physical: number,
  ): void {
    const at = (this.#count % CAPACITY) * FIELDS;
    const fields = this.#fields;
    fields[at] = time;
    fields[at + 1] = iommu;
    fields[at + 2] = endpoint;
    fields[at + 3] = domain ?? NO_DOMAIN;
    fields[at + 4] = address;
    fields[at + 5] = length;
    fields[at + 6] = access;
    fields[at + 7] = physical;
    this.#count += 1;
  }

  /** Those since the last time, or all that are kept. */
  take(all: boolean): WatchedAccess[] {
    const accesses: WatchedAccess[] = [];
    const first = Math.max(all ? 0 : this.#taken, this.#count - CAPACITY, 0);
    for (let index = first; index < this.#count; index += 1) {
      accesses.push(this.#read((index % CAPACITY) * FIELDS));
    }
    this.#taken = this.#count;
    return accesses;
  }

  #read(at: number): WatchedAccess {
    const [time, iommu, endpoint, domain, address, length, access, physical] =
      this.#fields.subarray(at, at + FIELDS);
    return {
      time: time!,
      iommu: iommu!,
      endpoint: endpoint!,
      domain: domain === NO_DOMAIN ? undefined : domain!,
      address: address!,
      length: length!,
      access: access!,
      physical: physical!,
    };
  }
}
