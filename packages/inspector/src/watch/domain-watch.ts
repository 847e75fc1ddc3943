/** DomainWatch: the domains of one IOMMU as they are, and as they were before it was reset for the last time. */
import type { IommuObserver, VirtioIommuDevice } from '@viommu/iommu-core';
import type { WatchedDomain } from './inspector-messages.ts';

type Device = Pick<VirtioIommuDevice, 'attachments' | 'mappingsOf'>;

export class DomainWatch {
  readonly #iommu: number;
  /** Set when the device is there. */
  device: Device | undefined;
  #beforeReset: readonly WatchedDomain[] = [];

  constructor(iommu: number) {
    this.#iommu = iommu;
  }

  /** A guest that ends resets its IOMMU, or its VMM does: what there was before is kept until there is something again. */
  readonly observer: IommuObserver = {
    resetting: () => {
      const domains = this.domains();
      if (domains.length > 0) this.#beforeReset = domains;
    },
    attached: () => {
      this.#beforeReset = [];
    },
  };

  /** Those that there were before the reset; none when an endpoint was attached since. */
  get beforeReset(): readonly WatchedDomain[] {
    return this.#beforeReset;
  }

  domains(): WatchedDomain[] {
    const domains = new Map<number, WatchedDomain & { readonly endpoints: number[] }>();
    for (const { endpoint, domain, isBypassDomain: bypass } of this.device?.attachments() ?? []) {
      if (domain === undefined) continue;
      const found = domains.get(domain);
      if (found !== undefined) found.endpoints.push(endpoint);
      else {
        const mappings = this.#mappingsOf(domain);
        domains.set(domain, {
          iommu: this.#iommu,
          domain,
          bypass,
          endpoints: [endpoint],
          mappings,
        });
      }
    }
    return [...domains.values()];
  }

  #mappingsOf(domain: number): readonly number[] {
    const fields: number[] = [];
    this.device?.mappingsOf(domain)?.visit(0, Number.MAX_SAFE_INTEGER, (...mapping) => {
      fields.push(...mapping);
      return true;
    });
    return fields;
  }
}
