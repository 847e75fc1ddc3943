/** Where the fields of each virtio-iommu request are, for whoever reads requests as they were on the wire. */
import type { RequestRecord } from '@viommu/iommu-core';

/** Offset and size in bytes. */
export interface RequestField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface RequestLayout {
  readonly name: string;
  readonly fields: readonly RequestField[];
}

const HEAD: readonly RequestField[] = [
  { name: 'type', offset: 0, size: 1 },
  { name: 'reserved', offset: 1, size: 3 },
];

/** By type; the device-readable part ("Device operations"). */
export const REQUEST_LAYOUTS: Readonly<Record<number, RequestLayout>> = {
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

export function fieldValue(bytes: Uint8Array, field: RequestField): bigint {
  let value = 0n;
  for (let index = field.size - 1; index >= 0; index -= 1) {
    value = (value << 8n) | BigInt(bytes[field.offset + index] ?? 0);
  }
  return value;
}

/** @param name of a field that this type of request has */
export function requestField(
  { type, bytes }: Pick<RequestRecord, 'type' | 'bytes'>,
  name: string,
): bigint {
  return fieldValue(bytes, REQUEST_LAYOUTS[type]!.fields.find((field) => field.name === name)!);
}

/** The value of a field that is an address, or of one of 4 bytes; one above 2^53 - 1 is 2^53 - 1. */
export function addressField(
  { type, bytes }: Pick<RequestRecord, 'type' | 'bytes'>,
  name: string,
): number {
  const { offset, size } = REQUEST_LAYOUTS[type]!.fields.find((field) => field.name === name)!;
  let value = 0;
  // Without BigInt: whoever watches does this for each request.
  for (let index = size - 1; index >= 0; index -= 1) {
    value = value * 256 + (bytes[offset + index] ?? 0);
  }
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}
