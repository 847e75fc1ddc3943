/** ReservedRegions: what is reserved for the endpoints of a domain, each region once however many endpoints have it. */
import type { AddressRange } from '../mappings/mapping.ts';
import type { ReservedRegion } from './reserved-region.ts';

interface CountedRegion {
  readonly start: number;
  readonly end: number;
  endpoints: number;
}

export class ReservedRegions {
  readonly #regions: CountedRegion[] = [];

  /** An endpoint joins the domain. */
  add(regions: readonly ReservedRegion[]): void {
    for (const { start, end } of regions) {
      const known = this.#find(start, end);
      if (known === undefined) this.#regions.push({ start, end, endpoints: 1 });
      else known.endpoints += 1;
    }
  }

  /** An endpoint leaves it. */
  remove(regions: readonly ReservedRegion[]): void {
    for (const { start, end } of regions) {
      const known = this.#find(start, end)!;
      known.endpoints -= 1;
      if (known.endpoints === 0) this.#regions.splice(this.#regions.indexOf(known), 1);
    }
  }

  /** Whether the range has an address in common with any region. */
  overlaps({ virtStart, virtEnd }: AddressRange): boolean {
    for (let index = 0; index < this.#regions.length; index += 1) {
      const region = this.#regions[index]!;
      if (region.start <= virtEnd && virtStart <= region.end) return true;
    }
    return false;
  }

  #find(start: number, end: number): CountedRegion | undefined {
    return this.#regions.find((region) => region.start === start && region.end === end);
  }
}
