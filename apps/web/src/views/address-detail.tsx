/** The address that is chosen, or typed, and whose access of it: what becomes of it, stage by stage. */
import { type DomainView, hexNumber } from '@viommu/inspector';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from '@viommu/iommu-core';
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { PageStore } from '../page/page-store.ts';
import { knownWalk, Verdict, WalkStages } from './walk-stages.tsx';

interface Props {
  readonly store: PageStore;
  readonly domain: DomainView | undefined;
}

export function AddressDetail({ store, domain }: Props): JSX.Element {
  const { chosenAccess, endpoint, view } = store;
  const address = store.chosenAddress?.address;
  /** What is being typed, while the page goes on. */
  const [typed, setTyped] = useState<string>();
  const finish = (event: TargetedEvent<HTMLInputElement>): void => {
    const value = Number(event.currentTarget.value);
    const isAddress = Number.isSafeInteger(value) && value >= 0;
    event.currentTarget.setCustomValidity(isAddress ? '' : 'an address such as 0xffffe000');
    if (isAddress) setTyped(undefined);
    if (isAddress) store.chooseAddress(domain, value, true);
  };
  const { endpoints } = view.topology;
  const chosen = endpoints.findIndex(
    (one) => one.iommu === endpoint?.iommu && one.endpoint === endpoint.endpoint,
  );
  const walk = store.walk ?? (isTold(store) ? undefined : knownWalk(store));
  return (
    <div class="address-detail">
      <div class="asked">
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
        <select
          id="access"
          aria-label="Access"
          value={chosenAccess}
          onChange={({ currentTarget }) => store.chooseAccess(Number(currentTarget.value))}
        >
          <option value={VIRTIO_IOMMU_MAP_F_READ}>read by</option>
          <option value={VIRTIO_IOMMU_MAP_F_WRITE}>written by</option>
        </select>
        <select
          id="endpoint"
          aria-label="Endpoint"
          value={chosen}
          onChange={({ currentTarget }) =>
            store.chooseEndpoint(endpoints[Number(currentTarget.value)]!)
          }
        >
          {endpoints.map((one, index) => (
            <option key={`${one.iommu}:${one.endpoint}`} value={index}>
              {one.name} ({one.place})
            </option>
          ))}
        </select>
      </div>
      <output>{walk !== undefined && <Verdict walk={walk} />}</output>
      {walk !== undefined && <WalkStages walk={walk} />}
    </div>
  );
}

/** Whether an answer comes that is of what is shown. */
function isTold({ live }: PageStore): boolean {
  return live === undefined || (live.state.kind === 'running' && !live.isPaused);
}
