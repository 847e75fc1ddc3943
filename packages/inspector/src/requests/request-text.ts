/** Turns a virtio-iommu request, as it was on the wire, into the lines for people. */
import type { RequestRecord } from '@viommu/iommu-core';
import { STATUS_NAMES } from '@viommu/iommu-driver';
import { fieldValue, REQUEST_LAYOUTS, requestField } from './request-layout.ts';

export function statusName(status: number): string {
  return status < 0 ? 'nothing written' : `S_${STATUS_NAMES[status] ?? status}`;
}

export function requestName(type: number): string {
  return REQUEST_LAYOUTS[type]?.name ?? `type ${type}`;
}

/** Bytes as hexadecimal digits without spaces. */
function hex(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = '';
  for (let index = from; index < to; index += 1)
    text += bytes[index]!.toString(16).padStart(2, '0');
  return text;
}

/** An address or a field as `0x…`. */
export function hexNumber(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** One line with the decoded fields, without head and reserved ones: `MAP domain 1 virt_start 0x… …`. */
export function requestFields(record: Pick<RequestRecord, 'type' | 'bytes'>): string {
  const layout = REQUEST_LAYOUTS[record.type];
  if (layout === undefined) return requestName(record.type);
  const fields = layout.fields
    .filter((field) => field.name !== 'reserved' && field.name !== 'type')
    .map((field) => {
      const value = fieldValue(record.bytes, field);
      return `${field.name} ${field.size === 8 || field.name === 'endpoint' ? hexNumber(value) : value}`;
    });
  return [layout.name, ...fields].join(' ');
}

/** The readable part as it was on the wire, one group per field; a long run of zero bytes is shortened. */
export function requestBytes(record: RequestRecord): string {
  const layout = REQUEST_LAYOUTS[record.type];
  if (layout === undefined) return hex(record.bytes, 0, record.length);
  return layout.fields
    .map((field) => {
      const end = Math.min(field.offset + field.size, record.length);
      const text = hex(record.bytes, field.offset, end);
      return field.size > 8 && /^0+$/.test(text) ? `00×${field.size}` : text;
    })
    .join(' ');
}

/** What an answered request did, in a few words. */
export function requestEffect(record: Pick<RequestRecord, 'type' | 'status' | 'bytes'>): string {
  const layout = REQUEST_LAYOUTS[record.type];
  if (layout === undefined || record.status !== 0) return 'nothing changed';
  const field = (name: string): bigint => requestField(record, name);
  switch (layout.name) {
    case 'ATTACH':
      return `what endpoint ${hexNumber(field('endpoint'))} accesses is translated by domain ${field('domain')} now`;
    case 'DETACH':
      return `endpoint ${hexNumber(field('endpoint'))} has no domain any more`;
    case 'MAP': {
      const length = field('virt_end') - field('virt_start') + 1n;
      return `${length} bytes at ${hexNumber(field('virt_start'))} are memory at ${hexNumber(field('phys_start'))}`;
    }
    case 'UNMAP':
      return `no mapping is left in ${hexNumber(field('virt_start'))}..${hexNumber(field('virt_end'))}`;
    default:
      return `the properties of endpoint ${hexNumber(field('endpoint'))} are in the answer`;
  }
}
