import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tables } from '../fixtures/viot-tables.ts';
import { decodeViot } from '../table/decode.ts';
import { encodeViot } from '../table/encode.ts';
import type { Topology } from '../topology.ts';
import { documentFromJson } from './json-document.ts';

function fromJson(value: unknown) {
  return documentFromJson(new TextEncoder().encode(JSON.stringify(value)));
}

const TABLE = {
  header: {
    revision: 0,
    oemId: 'OEM',
    oemTableId: 'TABLE',
    oemRevision: 1,
    creatorId: 'CREA',
    creatorRevision: 1,
  },
  nodes: [
    { type: 'virtio-iommu-pci', segment: 0, bdf: 32 },
    {
      type: 'pci-range',
      endpointStart: 0,
      segmentStart: 0,
      segmentEnd: 0,
      bdfStart: 0,
      bdfEnd: 255,
      outputNode: 48,
    },
  ],
};
const TOPOLOGY: Topology = {
  iommus: [
    { kind: 'pci', segment: 0, bdf: 8 },
    { kind: 'mmio', base: 0x1000 },
    { kind: 'vendor', model: 'vt-d', base: 0xfed90000 },
  ],
  endpoints: [{ kind: 'mmio', base: 0x2000, endpoint: 1, iommu: 1 }],
};

/** A copy with one field changed; undefined takes it away. */
function changed(value: object, path: string, to: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop()!;
  const parent = steps.reduce((part, step) => part[step] as Record<string, unknown>, copy);
  if (to === undefined) delete parent[last];
  else parent[last] = to;
  return copy;
}

describe('documentFromJson', () => {
  it('takes every table that was decoded, and encodes it to the same bytes', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const bytes = encodeViot(table);
        const document = fromJson(decodeViot(bytes));
        expect(document.form === 'table' && encodeViot(document.table)).toEqual(bytes);
      }),
    );
  });

  it('takes a topology', () => {
    expect(fromJson(TOPOLOGY)).toMatchObject({ form: 'topology', topology: TOPOLOGY });
  });

  const wrong: [string, unknown, string][] = [
    ['nodes[1].bdfStart', -1, 'nodes[1].bdfStart: write an integer from 0 to 0xffff, not -1'],
    ['nodes[1].bdfStart', 1.5, 'nodes[1].bdfStart: write an integer from 0 to 0xffff, not 1.5'],
    [
      'nodes[1].endpointStart',
      '7',
      'nodes[1].endpointStart: write an integer from 0 to 0xffffffff, not "7"',
    ],
    ['nodes[1].bdfEnd', undefined, 'nodes[1].bdfEnd: is missing'],
    ['nodes[1].bdf', 1, 'nodes[1].bdf: there is no such field; there are type, endpointStart, '],
    ['nodes[0].type', 'iommu', 'nodes[0].type: write "pci-range" or "mmio-endpoint" or '],
    ['nodes[0].type', undefined, 'nodes[0].type: write "pci-range" or '],
    [
      'nodes[0].reserved',
      'abc',
      'nodes[0].reserved: write two hexadecimal digits for each byte, not "abc"',
    ],
    ['nodes[0]', 7, 'nodes[0]: write an object, not 7'],
    ['nodes', {}, 'nodes: write a list, not {}'],
    [
      'header.oemId',
      '1234567',
      'header.oemId: write at most 6 characters of 8 bits, not "1234567"',
    ],
    ['header.creatorId', '€', 'header.creatorId: write at most 4 characters of 8 bits, not "€"'],
    ['header', null, 'header: write an object, not null'],
    ['reserved', '00'.repeat(9), 'reserved: write at most 8 bytes, not "000000000000000000"'],
    ['more', 1, 'more: there is no such field; there are header, nodes, reserved, gap, trailing'],
  ];
  it.each(wrong)('says where a table is wrong: %s as %j', (path, value, message) => {
    expect(() => fromJson(changed(TABLE, path, value))).toThrowError(message);
  });

  it.each([
    ['iommus[0].bdf', 65536, 'iommus[0].bdf: write an integer from 0 to 0xffff, not 65536'],
    [
      'iommus[2].model',
      'x',
      'iommus[2].model: write "vt-d" or "amd-vi" or "smmu" or "smmu-v3", not "x"',
    ],
    ['endpoints[0].iommu', undefined, 'endpoints[0].iommu: is missing'],
    ['endpoints', undefined, 'endpoints: is missing'],
  ])('says where a topology is wrong: %s as %j', (path, value, message) => {
    expect(() => fromJson(changed(TOPOLOGY, path, value))).toThrowError(message);
  });

  it('shows of what is long the beginning', () => {
    expect(() => fromJson(changed(TABLE, 'nodes', 'x'.repeat(1000)))).toThrowError(
      /, not "x{39}…$/,
    );
  });

  it.each(['{', '{"a": \n', '[]', '7', '{"nodes": []}'])('refuses %j', (text) => {
    expect(() => documentFromJson(new TextEncoder().encode(text))).toThrowError(
      expect.objectContaining({ code: 'SYNTAX' }),
    );
  });

  it('refuses what is no UTF-8', () => {
    expect(() => documentFromJson(Uint8Array.of(0x7b, 0x22, 0xff))).toThrowError('this is no JSON');
  });
});
