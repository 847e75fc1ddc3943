/** Turns a virtio-iommu request, as it was on the wire, into the lines that the demo prints. */
import type { RequestRecord } from '@viommu/iommu-core';
import { STATUS_NAMES } from '@viommu/iommu-driver';

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

interface Layout {
  readonly name: string;
  readonly fields: readonly Field[];
}

const HEAD: readonly Field[] = [
  { name: 'type', offset: 0, size: 1 },
  { name: 'reserved', offset: 1, size: 3 },
];

/** "Device operations": the device-readable part of each request. */
const LAYOUTS: Readonly<Record<number, Layout>> = {
  1: {
    name: 'ATTACH',
    fields: [
      ...HEAD,
      { name: 'domain', offset: 4, size: 4 },
      { name: 'endpoint', offset: 8, size: 4 },
      { name: 'flags', offset: 12, size: 4 },
      { name: 'reserved', offset: 16, size: 4 },
    ],
  },
  2: {
    name: 'DETACH',
    fields: [
      ...HEAD,
      { name: 'domain', offset: 4, size: 4 },
      { name: 'endpoint', offset: 8, size: 4 },
      { name: 'reserved', offset: 12, size: 8 },
    ],
  },
  3: {
    name: 'MAP',
    fields: [
      ...HEAD,
      { name: 'domain', offset: 4, size: 4 },
      { name: 'virt_start', offset: 8, size: 8 },
      { name: 'virt_end', offset: 16, size: 8 },
      { name: 'phys_start', offset: 24, size: 8 },
      { name: 'flags', offset: 32, size: 4 },
    ],
  },
  4: {
    name: 'UNMAP',
    fields: [
      ...HEAD,
      { name: 'domain', offset: 4, size: 4 },
      { name: 'virt_start', offset: 8, size: 8 },
      { name: 'virt_end', offset: 16, size: 8 },
      { name: 'reserved', offset: 24, size: 4 },
    ],
  },
  5: {
    name: 'PROBE',
    fields: [
      ...HEAD,
      { name: 'endpoint', offset: 4, size: 4 },
      { name: 'reserved', offset: 8, size: 64 },
    ],
  },
};

export function statusName(status: number): string {
  return status < 0 ? 'nothing written' : `S_${STATUS_NAMES[status] ?? status}`;
}

function requestName(type: number): string {
  return LAYOUTS[type]?.name ?? `type ${type}`;
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

function fieldValue(bytes: Uint8Array, field: Field): bigint {
  let value = 0n;
  for (let index = field.size - 1; index >= 0; index -= 1) {
    value = (value << 8n) | BigInt(bytes[field.offset + index] ?? 0);
  }
  return value;
}

/** One line with the decoded fields, without head and reserved ones: `MAP domain 1 virt_start 0x… …`. */
export function requestFields(record: RequestRecord): string {
  const layout = LAYOUTS[record.type];
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
  const layout = LAYOUTS[record.type];
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
export function requestEffect(record: RequestRecord): string {
  const layout = LAYOUTS[record.type];
  if (layout === undefined || record.status !== 0) return 'nothing changed';
  const field = (name: string): bigint =>
    fieldValue(record.bytes, layout.fields.find((candidate) => candidate.name === name)!);
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
