/** Faults: what was tried, why it failed, and what made it so. */
import { accessVerb, faultReason, hexNumber, type WatchedFault } from '@viommu/inspector';
import type { JSX } from 'preact';
import { faultCause } from '../page/fault-cause.ts';
import { secondsText } from '../page/numbers.ts';
import type { PageStore } from '../page/page-store.ts';
import { AddressLink } from './address-link.tsx';
import { When } from './when.tsx';

interface Props {
  readonly store: PageStore;
  readonly showRequests: () => void;
}

export function FaultList({ store, showRequests }: Props): JSX.Element {
  const { faults } = store.view;
  if (faults.length === 0) {
    const ahead = store.trace?.faults.length ?? 0;
    return (
      <p class="empty">
        {ahead === 0
          ? 'No access was denied.'
          : 'No access was denied up to here; f goes to the next one.'}
      </p>
    );
  }
  return (
    <ol class="faults">
      {faults.map((fault) => (
        <FaultEntry key={fault.sequence} store={store} fault={fault} showRequests={showRequests} />
      ))}
    </ol>
  );
}

function FaultEntry({
  store,
  fault,
  showRequests,
}: Props & { readonly fault: WatchedFault }): JSX.Element {
  const { iommu, endpoint, domain, reason, access, address, delivered, operation, time } = fault;
  const { text, request } = faultCause(fault, store.view.requests);
  const name = store.view.topology.endpoints.find(
    (one) => one.iommu === iommu && one.endpoint === endpoint,
  )?.name;
  return (
    <li data-fault={fault.sequence}>
      <p>
        <b>{name}</b> (endpoint {hexNumber(endpoint)}) may not {accessVerb(access)} at{' '}
        <AddressLink
          store={store}
          domain={domain === undefined ? undefined : { iommu, domain }}
          address={address}
        />
        {domain !== undefined && ` of domain ${domain}`}: {faultReason(reason)}
      </p>
      <p class="muted">
        {text}
        {request !== undefined && (
          <>
            {': '}
            <button
              type="button"
              class="link"
              onClick={() => {
                store.chooseRequest(request);
                showRequests();
              }}
            >
              request {request.sequence}
            </button>
            , {secondsText(time - request.time)} before
          </>
        )}
        {'; '}
        {delivered ? 'the driver was told' : 'the driver had no buffer to be told in'}
        {' · '}
        <When store={store} operation={operation} time={time} />
      </p>
    </li>
  );
}
