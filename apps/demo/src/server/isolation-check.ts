/** IsolationCheck: keeps its own record of the guest's requests, and compares with it what each endpoint reaches. */

import { REQUEST_LAYOUTS, requestField } from '@viommu/inspector';
import {
  type IommuObserver,
  type RequestRecord,
  TRANSLATION_OK,
  type TranslationBackend,
  type TranslationResult,
} from '@viommu/iommu-core';

interface Mapping {
  readonly virtStart: number;
  readonly virtEnd: number;
  readonly physStart: number;
}

export class IsolationCheck {
  /** Looks at what an endpoint reaches: at each translated access, the one of its endpoint and one of every other. */
  checked = 0;
  /** Those at which it reached memory that the guest had not mapped for it there. */
  strayed = 0;
  /** Of the looks of other endpoints, those that reached nothing. */
  refused = 0;
  readonly #domains = new Map<number, number>();
  readonly #mappings = new Map<number, Mapping[]>();
  readonly #result: TranslationResult = { physical: 0, length: 0, bypass: false };
  #backend: TranslationBackend | undefined;
  #endpoints: readonly number[] = [];

  readonly observer: IommuObserver = {
    request: (record) => this.#follow(record),
    reset: () => {
      this.#domains.clear();
      this.#mappings.clear();
    },
    translated: (endpoint, address, length, access) => {
      for (const other of this.#endpoints) this.#look(other, endpoint, address, length, access);
    },
  };

  /** Watches this IOMMU from now on. */
  watch(backend: TranslationBackend, endpoints: readonly number[]): void {
    this.#backend = backend;
    this.#endpoints = endpoints;
  }

  #look(other: number, endpoint: number, address: number, length: number, access: number): void {
    const code = this.#backend?.translate(other, address, length, access, this.#result);
    if (code !== TRANSLATION_OK) {
      this.checked += 1;
      if (other !== endpoint) this.refused += 1;
      return;
    }
    // Without a domain, or in a bypass domain: the guest has mapped nothing, and wants it so.
    if (this.#result.bypass) return;
    this.checked += 1;
    const mapping = this.#mappings
      .get(this.#domains.get(other) ?? -1)
      ?.find(({ virtStart, virtEnd }) => virtStart <= address && address <= virtEnd);
    const mapped = mapping && mapping.physStart + (address - mapping.virtStart);
    if (mapped !== this.#result.physical) this.strayed += 1;
  }

  #follow(record: RequestRecord): void {
    if (record.status !== 0) return;
    const field = (name: string) => Number(requestField(record, name));
    switch (REQUEST_LAYOUTS[record.type]?.name) {
      case 'ATTACH':
        this.#move(field('endpoint'), field('domain'));
        break;
      case 'DETACH':
        this.#move(field('endpoint'), undefined);
        break;
      case 'MAP':
        this.#mappingsOf(field('domain')).push({
          virtStart: field('virt_start'),
          virtEnd: field('virt_end'),
          physStart: field('phys_start'),
        });
        break;
      case 'UNMAP': {
        const [start, end] = [field('virt_start'), field('virt_end')];
        const left = this.#mappingsOf(field('domain')).filter(
          ({ virtStart, virtEnd }) => virtEnd < start || virtStart > end,
        );
        this.#mappings.set(field('domain'), left);
      }
    }
  }

  #mappingsOf(domain: number): Mapping[] {
    const mappings = this.#mappings.get(domain) ?? [];
    this.#mappings.set(domain, mappings);
    return mappings;
  }

  /** A domain goes, and its mappings with it, when its last endpoint leaves. */
  #move(endpoint: number, domain: number | undefined): void {
    const left = this.#domains.get(endpoint);
    if (domain === undefined) this.#domains.delete(endpoint);
    else this.#domains.set(endpoint, domain);
    if (left !== undefined && ![...this.#domains.values()].includes(left))
      this.#mappings.delete(left);
  }
}
