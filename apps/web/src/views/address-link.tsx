/** An address that leads to its place in the map of a domain. */
import { hexNumber } from '@viommu/inspector';
import type { JSX } from 'preact';
import type { DomainKey, PageStore } from '../page/page-store.ts';

interface Props {
  readonly store: PageStore;
  /** None when the address is in no domain's address space. */
  readonly domain: DomainKey | undefined;
  readonly address: number | bigint;
}

export function AddressLink({ store, domain, address }: Props): JSX.Element {
  const isKnown = domain !== undefined && store.view.domain(domain.iommu, domain.domain);
  if (!isKnown || address > Number.MAX_SAFE_INTEGER) return <code>{hexNumber(address)}</code>;
  return (
    <button
      type="button"
      class="link"
      title={`Show it in domain ${domain.domain}`}
      onClick={() => store.chooseAddress(domain, Number(address), true)}
    >
      {hexNumber(address)}
    </button>
  );
}
