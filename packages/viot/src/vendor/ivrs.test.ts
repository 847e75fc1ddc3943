import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acpiTable, le } from '../fixtures/bytes-of.ts';
import { IASL_IVRS, QEMU_IVRS } from '../fixtures/vendor-tables.ts';
import type { PassedOver } from '../passed-over.ts';
import { endpointId, endpointRange } from '../topology.ts';
import { readIvrs } from './ivrs.ts';

/** Twelve bytes of the header after the one of all tables, then the blocks from 48 on. */
function ivrs(...blocks: number[][]): Uint8Array {
  return acpiTable('IVRS', [...new Array<number>(12).fill(0), ...blocks.flat()]);
}

/** The IOMMU's own BDF is 0x0002. */
function ivhd(type: number, base: number, segment: number, ...entries: number[][]): number[] {
  const longer = type === 0x10 ? [] : new Array<number>(16).fill(0);
  const rest = [...le(2, 2), ...le(2, 0x40), ...le(8, base), ...le(2, segment), ...le(6, 0)];
  const length = 4 + rest.length + longer.length + entries.flat().length;
  return [type, 0xb0, ...le(2, length), ...rest, ...longer, ...entries.flat()];
}

const four = (type: number, id: number) => [type, ...le(2, id), 0];
const eight = (type: number, id: number, used: number) => [...four(type, id), 0, ...le(2, used), 0];
/** With a name of 8 and a compatible name of 8 characters, and a unique ID. */
const named = (id: number, uid: number[]) => [
  ...four(0xf0, id),
  ...new Array<number>(16).fill(0x41),
  uid.length === 0 ? 0 : 2,
  uid.length,
  ...uid,
];

function range(segment: number, bdfStart: number, bdfEnd: number, iommu: number, id = bdfStart) {
  const segments = { segmentStart: segment, segmentEnd: segment };
  return { kind: 'pci', ...segments, bdfStart, bdfEnd, endpointStart: id, iommu };
}

describe('readIvrs', () => {
  it('reads what iasl wrote: ranges, aliases, and no IOMMU behind itself', () => {
    const topology = readIvrs(IASL_IVRS, { passedOver: () => expect.unreachable() });
    expect(topology).toEqual({
      iommus: [
        { kind: 'vendor', model: 'amd-vi', base: 0xfd200000 },
        { kind: 'vendor', model: 'amd-vi', base: 0xfd300000 },
      ],
      endpoints: [
        range(0, 0x0001, 0x0001, 0),
        range(0, 0x0003, 0x00ff, 0),
        range(0, 0x0300, 0x0300, 0, 0x00a5),
        range(0, 0x0301, 0x0301, 0, 0x00a5),
        range(0, 0x0302, 0x0302, 0, 0x00a5),
        range(0, 0x0303, 0x0303, 0, 0x00a5),
        range(0, 0x0500, 0x0500, 0, 0x00a6),
        range(0, 0x0600, 0x0600, 0),
        range(1, 0x0000, 0x0001, 1),
        range(1, 0x0003, 0xffff, 1),
      ],
    });
    expect(endpointId(topology, 0, 0x0302)).toBe(0x00a5);
    expect(endpointId(topology, 0, 0x0002)).toBeUndefined();
    expect(endpointId(topology, 1, 0x0002)).toBeUndefined();
    expect(endpointId(topology, 1, 0xffff)).toBe(0xffff);
  });

  it('reads what QEMU wrote: one IOMMU in two blocks, and a bus whose functions share an ID', () => {
    const topology = readIvrs(QEMU_IVRS);
    expect(topology.iommus).toEqual([{ kind: 'vendor', model: 'amd-vi', base: 0xfed80000 }]);
    const [own, port, bridge, behind] = [0x08, 0x10, 0x100, 0x218];
    expect([own, port, bridge, behind].map((bdf) => endpointId(topology, 0, bdf))).toEqual([
      undefined,
      0x10,
      0x100,
      0x200,
    ]);
    const others = topology.endpoints.filter((of) => of.kind === 'pci' && of.bdfStart >> 8 !== 2);
    expect(others).toEqual([0, 0x10, 0x100, 0xf8, 0xfa, 0xfb].map((bdf) => range(0, bdf, bdf, 0)));
    expect(topology.endpoints).toHaveLength(others.length + 256);
  });

  it('looks at the highest type of block that each IOMMU has', () => {
    const topology = readIvrs(
      ivrs(
        ivhd(0x10, 0x1000, 0, four(2, 0x10)),
        ivhd(0x10, 0x2000, 0, four(2, 0x20)),
        ivhd(0x40, 0x1000, 0, four(2, 0x14)),
        ivhd(0x11, 0x1000, 0, four(2, 0x11)),
        ivhd(0x40, 0x1000, 0, four(2, 0x15)),
      ),
    );
    expect(topology.iommus).toHaveLength(2);
    expect(topology.endpoints).toEqual([
      range(0, 0x20, 0x20, 1),
      range(0, 0x14, 0x14, 0),
      range(0, 0x15, 0x15, 0),
    ]);
  });

  it('lets the later entry count', () => {
    const topology = readIvrs(
      ivrs(
        ivhd(0x11, 0x1000, 0, four(1, 0), eight(0x42, 0x500, 0xa5)),
        ivhd(0x11, 0x2000, 0, four(3, 0x4f0), four(0, 0), four(4, 0x4ff)),
      ),
    );
    expect(endpointId(topology, 0, 0x500)).toBe(0xa5);
    expect(endpointRange(topology, 0, 0x4ff)?.iommu).toBe(1);
    expect(endpointRange(topology, 0, 0x501)?.iommu).toBe(0);
  });

  it('passes over special devices, memory, and what it does not know', () => {
    const seen: PassedOver[] = [];
    const table = ivrs(
      ivhd(
        0x40,
        0x1000,
        0,
        eight(0x48, 0, 0xa0),
        named(0x98, [0x30, 0x31, 0x32]),
        named(0x99, []),
        [0x85, ...le(15, 0)],
        [0xc5, ...le(31, 0)],
        eight(0x47, 0x10, 0),
        eight(0x40, 0, 0),
        four(4, 0x13),
      ),
      [0x20, 0, 4, 0],
      [0x21, 0, 4, 0],
      [0x22, 0, 4, 0],
      [0x41, 0, 4, 0],
    );
    const topology = readIvrs(table, { passedOver: (what) => seen.push(what) });
    expect(topology.endpoints).toEqual([range(0, 0x10, 0x13, 0)]);
    expect(seen).toEqual([
      { offset: 223, reason: expect.stringContaining('type 0x41') },
      { offset: 96, reason: expect.stringContaining('ID 0x98') },
      { offset: 121, reason: expect.stringContaining('ID 0x99') },
      { offset: 143, reason: expect.stringContaining('type 0x85') },
      { offset: 159, reason: expect.stringContaining('type 0xc5') },
    ]);
  });

  it('writes no more than 4096 functions with shared IDs out', () => {
    const seen: PassedOver[] = [];
    const table = ivrs(
      ivhd(0x10, 0x1000, 0, eight(0x43, 0x1000, 1), four(4, 0x1ffe), eight(0x42, 0x2000, 2)),
      ivhd(0x10, 0x2000, 0, eight(0x43, 0, 1), four(4, 0xffff), eight(0x42, 0x2001, 2)),
    );
    const { endpoints } = readIvrs(table, { passedOver: (what) => seen.push(what) });
    expect(endpoints).toHaveLength(4096);
    expect(seen.map(({ offset }) => offset)).toEqual([116, 116, 128]);
  });

  const malformed: [string, string, number, Uint8Array][] = [
    ['too short a table', 'LENGTH', 0, acpiTable('IVRS', new Array(11).fill(0))],
    ['a block of length 0', 'NODE_BOUNDS', 48, ivrs([0x20, 0, 0, 0])],
    ['a block beyond the end', 'NODE_BOUNDS', 48, ivrs([0x20, 0, 5, 0])],
    ['too short a block 10h', 'NODE_BOUNDS', 48, ivrs([0x10, 0, 23, 0, ...le(19, 0)])],
    ['too short a block 40h', 'NODE_BOUNDS', 48, ivrs([0x40, 0, 39, 0, ...le(35, 0)])],
    ['an address beyond 2^53', 'ADDRESS', 56, ivrs(ivhd(0x10, 2 ** 53, 0))],
    ['half an entry of 4 bytes', 'NODE_BOUNDS', 72, ivrs(ivhd(0x10, 0, 0, [2, 0, 0]))],
    ['half an entry of 8 bytes', 'NODE_BOUNDS', 72, ivrs(ivhd(0x10, 0, 0, [0x42, 0, 0, 0]))],
    [
      'half an entry with a name',
      'NODE_BOUNDS',
      88,
      ivrs(ivhd(0x40, 0, 0, named(0, []).slice(0, -1))),
    ],
    [
      'a name beyond its block',
      'NODE_BOUNDS',
      88,
      ivrs(ivhd(0x40, 0, 0, named(0, [1]).slice(0, -1))),
    ],
    ['an end without a start', 'RANGE', 72, ivrs(ivhd(0x10, 0, 0, four(4, 9)))],
    ['a start without an end', 'RANGE', 72, ivrs(ivhd(0x10, 0, 0, four(3, 9)))],
    ['a start within a range', 'RANGE', 72, ivrs(ivhd(0x10, 0, 0, four(3, 9), four(3, 9)))],
    ['an end before its start', 'RANGE', 72, ivrs(ivhd(0x10, 0, 0, four(3, 9), four(4, 8)))],
  ];
  it.each(malformed)('refuses %s', (_, code, offset, bytes) => {
    expect(() => readIvrs(bytes)).toThrowError(expect.objectContaining({ code, offset }));
  });

  it('answers any bytes with a topology or a ViotError', () => {
    const id = fc.nat(0xffff);
    const entry = fc.oneof(
      fc.array(fc.nat(255), { maxLength: 9 }),
      fc.tuple(fc.nat(4), id).map(([type, start]) => four(type, start)),
      fc
        .tuple(fc.constantFrom(0x40, 0x42, 0x43, 0x46, 0x47, 0x48), id, id)
        .map((of) => eight(...of)),
    );
    const block = fc
      .tuple(fc.constantFrom(0x10, 0x11, 0x40), fc.nat(2), fc.array(entry, { maxLength: 6 }))
      .map(([type, base, entries]) => ivhd(type, base, 0, ...entries));
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        try {
          const { iommus, endpoints } = readIvrs(ivrs(...blocks));
          expect(endpoints.every(({ iommu }) => iommus[iommu] !== undefined)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
        }
      }),
    );
  });
});
