/** A request, decoded: its bytes as they were on the wire, and beside them each field. */
import {
  addressField,
  fieldValue,
  REQUEST_LAYOUTS,
  type RequestField,
  requestEffect,
  requestName,
  statusName,
  type WatchedRequest,
} from '@viommu/inspector';
import { VIRTIO_IOMMU_T_MAP } from '@viommu/iommu-core';
import type { JSX } from 'preact';
import type { PageStore } from '../page/page-store.ts';
import { AddressLink } from './address-link.tsx';
import { When } from './when.tsx';

interface Props {
  readonly store: PageStore;
  readonly request: WatchedRequest | undefined;
}

/** Fields that are addresses of the domain. */
const ADDRESSES = ['virt_start', 'virt_end'];

export function RequestDetail({ store, request }: Props): JSX.Element {
  if (request === undefined) {
    return <p class="detail empty">Choose a request: its fields are shown beside its bytes.</p>;
  }
  const { type, status, bytes, iommu, operation, time, sequence } = request;
  const fields = REQUEST_LAYOUTS[type]?.fields ?? [
    { name: 'bytes', offset: 0, size: bytes.length },
  ];
  const hasDomain = fields.some(({ name }) => name === 'domain');
  const domain = hasDomain ? { iommu, domain: addressField(request, 'domain') } : undefined;
  return (
    <div class="detail" aria-live="polite">
      <h3>
        {requestName(type)}{' '}
        <span class={status === 0 ? 'status ok' : 'status bad'}>{statusName(status)}</span>
      </h3>
      <p class="muted">
        request {sequence} of {store.view.topology.iommus[iommu]?.name}
        {', '}
        <When store={store} operation={operation} time={time} />
      </p>
      <p>{requestEffect(request)}</p>
      <table class="fields">
        <thead>
          <tr>
            <th scope="col">at</th>
            <th scope="col">bytes</th>
            <th scope="col">field</th>
            <th scope="col">value</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.offset} class={field.name === 'reserved' ? 'reserved' : ''}>
              <td>{field.offset}</td>
              <td>
                <code>{bytesOf(bytes, field)}</code>
              </td>
              <th scope="row">{field.name}</th>
              <td data-field={field.name}>
                {ADDRESSES.includes(field.name) ? (
                  <AddressLink store={store} domain={domain} address={fieldValue(bytes, field)} />
                ) : (
                  valueText(bytes, field)
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function bytesOf(bytes: Uint8Array, { offset, size }: RequestField): string {
  const own = bytes.subarray(offset, offset + size);
  if (own.length > 8 && own.every((byte) => byte === 0)) return `00 × ${own.length}`;
  return Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function valueText(bytes: Uint8Array, field: RequestField): string {
  const value = fieldValue(bytes, field);
  if (field.name === 'reserved') return value === 0n ? '' : `0x${value.toString(16)}`;
  if (field.name === 'flags') {
    const names = ['READ', 'WRITE', 'MMIO'].filter((_, bit) => (value >> BigInt(bit)) & 1n);
    return bytes[0] === VIRTIO_IOMMU_T_MAP ? `${value} ${names.join(' | ')}` : String(value);
  }
  const isHex = field.size === 8 || field.name === 'endpoint';
  return isHex ? `0x${value.toString(16)}` : String(value);
}
