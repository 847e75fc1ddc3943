import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../fixtures/bytes-of.ts';
import { tables } from '../fixtures/viot-tables.ts';
import { decodeViot } from './decode.ts';
import { encodeViot } from './encode.ts';
import { tableTopology } from './topology-table.ts';
import type { ViotNode, ViotTable } from './viot-table.ts';

/** What iasl writes for its template: each of the four types. */
const TEMPLATE = bytesOf(`
  56 49 4f 54 80 00 00 00 00 52 49 4e 54 45 4c 20
  54 65 6d 70 6c 61 74 65 00 00 00 00 49 4e 54 4c
  05 01 21 20 04 00 30 00 00 00 00 00 00 00 00 00
  01 00 18 00 00 00 00 00 00 00 00 00 00 00 ff ff
  60 00 00 00 00 00 00 00
  02 00 18 00 00 00 01 00 00 00 00 1c 00 00 00 00
  70 00 00 00 00 00 00 00
  03 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00
  04 00 10 00 00 00 00 00 00 00 00 1d 00 00 00 00`);

const byte = fc.integer({ min: 0, max: 255 });

/** Without what has no meaning, and which the bytes are compared for. */
function meaning(value: ViotTable): unknown {
  const meaningless = ['reserved', 'gap', 'trailing'];
  return JSON.parse(
    JSON.stringify(value, (key, part) => (meaningless.includes(key) ? undefined : part)),
  );
}

describe('decodeViot and encodeViot', () => {
  it('read the template of iasl, all four types, and write the same bytes', () => {
    const table = decodeViot(TEMPLATE);
    expect(table.header).toEqual({
      revision: 0,
      oemId: 'INTEL ',
      oemTableId: 'Template',
      oemRevision: 0,
      creatorId: 'INTL',
      creatorRevision: 0x20210105,
    });
    expect(table.nodes).toEqual([
      {
        type: 'pci-range',
        endpointStart: 0,
        segmentStart: 0,
        segmentEnd: 0,
        bdfStart: 0,
        bdfEnd: 0xffff,
        outputNode: 0x60,
      },
      { type: 'mmio-endpoint', endpoint: 0x10000, base: 0x1c000000, outputNode: 0x70 },
      { type: 'virtio-iommu-pci', segment: 0, bdf: 0 },
      { type: 'virtio-iommu-mmio', base: 0x1d000000 },
    ]);
    expect(tableTopology(table).endpoints.map(({ iommu }) => iommu)).toEqual([0, 1]);
    expect(encodeViot(table)).toEqual(TEMPLATE);
  });

  it('are inverse on every table, whatever is reserved, unknown, before and behind the nodes', () => {
    fc.assert(
      fc.property(tables, (table) => {
        const bytes = encodeViot(table);
        const decoded = decodeViot(bytes);
        expect(meaning(decoded)).toEqual(meaning(table));
        expect(encodeViot(decoded)).toEqual(bytes);
        expect(encodeViot(JSON.parse(JSON.stringify(decoded)))).toEqual(bytes);
      }),
    );
  });

  it('give a ViotError or the same bytes again for a table with one byte changed', () => {
    const change = fc.record({ at: fc.integer({ min: 10, max: 127 }), value: byte });
    fc.assert(
      fc.property(change, ({ at, value }) => {
        const bytes = TEMPLATE.slice();
        bytes[at] = value;
        bytes[9] = 0;
        bytes[9] = -bytes.reduce((sum, part) => sum + part, 0);
        let table: ViotTable;
        try {
          table = decodeViot(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
          return;
        }
        expect(encodeViot(table)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  const header = {
    revision: 0,
    oemId: '',
    oemTableId: '',
    oemRevision: 0,
    creatorId: '',
    creatorRevision: 0,
  };
  const iommu: ViotNode = { type: 'virtio-iommu-pci', segment: 0, bdf: 8 };
  const refused: [string, string, ViotTable][] = [
    [
      'an IOMMU that is not there',
      'OUTPUT_NODE',
      { header, nodes: [iommu, { type: 'mmio-endpoint', endpoint: 0, base: 0, outputNode: 49 }] },
    ],
    ['too long an OEM ID', 'OEM', { header: { ...header, oemId: '1234567' }, nodes: [] }],
    [
      'a character of more than 8 bits',
      'OEM',
      { header: { ...header, creatorId: '€' }, nodes: [] },
    ],
    ['digits that are no bytes', 'SYNTAX', { header, gap: 'abc', nodes: [] }],
    ['too many reserved bytes', 'SYNTAX', { header, reserved: '000000000000000000', nodes: [] }],
    ['a number that does not fit', 'SYNTAX', { header, nodes: [{ ...iommu, bdf: 65536 }] }],
    [
      'a number that is none',
      'SYNTAX',
      { header, nodes: [{ ...iommu, bdf: undefined as unknown as number }] },
    ],
    [
      'a node of more than 64 KiB',
      'SIZE',
      { header, nodes: [{ type: 'unknown', nodeType: 9, content: '00'.repeat(65536) }] },
    ],
    ['more nodes than 16 bits can count', 'SIZE', { header, nodes: new Array(65536).fill(iommu) }],
  ];
  it.each(refused)('refuse to write %s', (_, code, table) => {
    expect(() => encodeViot(table)).toThrowError(expect.objectContaining({ code }));
  });
});
