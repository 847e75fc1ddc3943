/** The address that is chosen, or typed: what it is translated to, or why it is not. */

import { type DomainView, hexNumber } from '@viommu/inspector';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from '@viommu/iommu-core';
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { bytesText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';

interface Props {
  readonly store: PageStore;
  readonly domain: DomainView | undefined;
}

export function AddressDetail({ store, domain }: Props): JSX.Element {
  const address = store.chosenAddress?.address;
  /** What is being typed, while the page goes on. */
  const [typed, setTyped] = useState<string>();
  const finish = (event: TargetedEvent<HTMLInputElement>): void => {
    const value = Number(event.currentTarget.value);
    const isAddress = Number.isSafeInteger(value) && value >= 0;
    event.currentTarget.setCustomValidity(isAddress ? '' : 'an address such as 0xffffe000');
    if (isAddress) setTyped(undefined);
    if (domain !== undefined && isAddress) store.chooseAddress(domain, value, true);
  };
  return (
    <div class="address-detail">
      <label>
        address{' '}
        <input
          id="address"
          type="text"
          spellcheck={false}
          placeholder="0x…"
          value={typed ?? (address === undefined ? '' : hexNumber(address))}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onChange={finish}
        />
      </label>
      <output>
        {domain !== undefined && address !== undefined && translation(domain, address)}
      </output>
    </div>
  );
}

function translation(domain: DomainView, address: number): JSX.Element {
  if (domain.bypass) return <>is not translated: the domain bypasses the IOMMU</>;
  const mapping = domain.mappings.find(address);
  if (mapping === undefined) return <>is not mapped: an access there is a fault</>;
  const { virtStart, virtEnd, physStart, flags } = mapping;
  const access = [
    (flags & VIRTIO_IOMMU_MAP_F_READ) !== 0 && 'read',
    (flags & VIRTIO_IOMMU_MAP_F_WRITE) !== 0 && 'written',
  ].filter((one) => one !== false);
  return (
    <>
      → <b>{hexNumber(physStart + (address - virtStart))}</b> of the guest's memory, may be{' '}
      {access.join(' and ')}{' '}
      <span class="muted">
        by the mapping {hexNumber(virtStart)}–{hexNumber(virtEnd)} (
        {bytesText(virtEnd - virtStart + 1)})
      </span>
    </>
  );
}
