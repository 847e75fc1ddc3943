import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acpiTable, le } from '../fixtures/bytes-of.ts';
import { IASL_DMAR, QEMU_DMAR } from '../fixtures/vendor-tables.ts';
import type { PassedOver } from '../passed-over.ts';
import { endpointId, endpointRange } from '../topology.ts';
import { readDmar } from './dmar.ts';

/** Twelve bytes of the header after the one of all tables, then the structures from 48 on. */
function dmar(...structures: number[][]): Uint8Array {
  return acpiTable('DMAR', [0x2f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...structures.flat()]);
}

function drhd(flags: number, segment: number, base: number, ...scopes: number[][]): number[] {
  const rest = [flags, 0, ...le(2, segment), ...le(8, base), ...scopes.flat()];
  return [0, 0, ...le(2, rest.length + 4), ...rest];
}

function scope(type: number, bus: number, ...path: number[]): number[] {
  return [type, 6 + path.length, 0, 0, 0, bus, ...path];
}

function range(segment: number, bdfStart: number, bdfEnd: number, iommu: number) {
  const segments = { segmentStart: segment, segmentEnd: segment };
  return { kind: 'pci', ...segments, bdfStart, bdfEnd, endpointStart: bdfStart, iommu };
}

function unit(base: number) {
  return { kind: 'vendor', model: 'vt-d', base };
}

describe('readDmar', () => {
  it('reads what iasl wrote: the unit that includes all comes first, so that others count before it', () => {
    const seen: PassedOver[] = [];
    const topology = readDmar(IASL_DMAR, { passedOver: (what) => seen.push(what) });
    expect(topology).toEqual({
      iommus: [unit(0xfed90000), unit(0xfed92000), unit(0xfed91000)],
      endpoints: [range(0, 0, 0xffff, 2), range(0, 0x0010, 0x0010, 0), range(1, 0x40e1, 0x40e1, 1)],
    });
    expect(seen).toEqual([
      { offset: 0x58, reason: expect.stringContaining('bridge 0001:40:1c.1') },
      { offset: 0x60, reason: expect.stringContaining('bridge 0001:40:1d.0') },
    ]);
    expect(endpointRange(topology, 0, 0x10)?.iommu).toBe(0);
    expect(endpointRange(topology, 0, 0x11)?.iommu).toBe(2);
    expect(endpointId(topology, 0, 0xabcd)).toBe(0xabcd);
    expect(endpointId(topology, 1, 0x40e2)).toBeUndefined();
  });

  it('reads what QEMU wrote', () => {
    const bridge = () => ({ secondary: 1, subordinate: 1 });
    expect(readDmar(QEMU_DMAR, { bridge })).toEqual({
      iommus: [unit(0xfed90000)],
      endpoints: [
        range(0, 0x00, 0x00, 0),
        range(0, 0x08, 0x08, 0),
        range(0, 0x100, 0x1ff, 0),
        range(0, 0xf8, 0xf8, 0),
        range(0, 0xfa, 0xfa, 0),
        range(0, 0xfb, 0xfb, 0),
      ],
    });
  });

  it('passes over what is behind a bridge whose buses end before they start', () => {
    const seen: PassedOver[] = [];
    const bridge = () => ({ secondary: 2, subordinate: 1 });
    const passedOver = (what: PassedOver) => void seen.push(what);
    expect(readDmar(IASL_DMAR, { bridge, passedOver })).toEqual(readDmar(IASL_DMAR));
    expect(seen.map(({ offset }) => offset)).toEqual(expect.arrayContaining([0x58, 0x60]));
  });

  it('follows paths behind bridges when told their buses', () => {
    const buses = new Map([
      [0x40e1, { secondary: 0x41, subordinate: 0x4f }],
      [0x40e8, { secondary: 0x50, subordinate: 0x50 }],
    ]);
    const bridge = (segment: number, bdf: number) => (segment === 1 ? buses.get(bdf) : undefined);
    expect(readDmar(IASL_DMAR, { bridge }).endpoints.slice(2)).toEqual([
      range(1, 0x40e1, 0x40e1, 1),
      range(1, 0x4100, 0x4fff, 1),
      range(1, 0x501d, 0x501d, 1),
    ]);
  });

  it('lets the later scope count, and the first of two units that include all', () => {
    const topology = readDmar(
      dmar(
        drhd(1, 0, 0x1000),
        drhd(0, 0, 0x2000, scope(1, 3, 4, 5)),
        drhd(1, 0, 0x3000),
        drhd(0, 0, 0x4000, scope(1, 3, 4, 5)),
      ),
    );
    expect(endpointRange(topology, 0, 0x325)?.iommu).toBe(3);
    expect(endpointRange(topology, 0, 0x326)?.iommu).toBe(0);
  });

  it('passes over what it does not know, and what is no PCI function, and says so', () => {
    const seen: PassedOver[] = [];
    const known = [1, 2, 3, 4, 5, 6].map((type) => [type, 0, 8, 0, 0xff, 0xff, 0xff, 0xff]);
    const table = dmar(
      ...known,
      drhd(0, 0, 0, scope(3, 0, 0xff, 0xff), scope(4, 0, 0xff, 0xff), scope(5, 0, 1, 0)),
      drhd(1, 0, 0, scope(2, 0, 1, 0)),
      drhd(0, 1, 0x5000, scope(9, 0, 0xff, 0xff)),
      [7, 0, 4, 0],
    );
    const topology = readDmar(table, { passedOver: (what) => seen.push(what) });
    expect(topology.iommus).toEqual([unit(0), unit(0x5000)]);
    expect(topology.endpoints).toEqual([range(0, 0, 0xffff, 0)]);
    expect(seen).toEqual([
      { offset: 128, reason: expect.stringContaining('ACPI name') },
      { offset: 176, reason: expect.stringContaining('type 9') },
      { offset: 184, reason: expect.stringContaining('type 7') },
    ]);
  });

  const malformed: [string, string, number, Uint8Array][] = [
    ['another signature', 'SIGNATURE', 0, acpiTable('IVRS', new Array(12).fill(0))],
    ['too short a table', 'LENGTH', 0, acpiTable('DMAR', new Array(11).fill(0))],
    ['a structure of length 0', 'NODE_BOUNDS', 48, dmar([0, 0, 0, 0])],
    ['a structure beyond the end', 'NODE_BOUNDS', 52, dmar([9, 0, 4, 0], [9, 0, 5, 0])],
    ['half a head', 'NODE_BOUNDS', 48, dmar([9, 0, 4])],
    ['too short a unit', 'NODE_BOUNDS', 48, dmar([0, 0, 15, 0, ...le(11, 0)])],
    ['an address beyond 2^53', 'ADDRESS', 56, dmar(drhd(0, 0, 2 ** 53))],
    ['half a scope', 'NODE_BOUNDS', 64, dmar(drhd(0, 0, 0, [1, 8, 0, 0, 0, 0, 1]))],
    ['a scope without a path', 'NODE_BOUNDS', 64, dmar(drhd(0, 0, 0, scope(1, 0)))],
    [
      'a scope beyond its unit',
      'NODE_BOUNDS',
      64,
      dmar(drhd(0, 0, 0, [1, 9, 0, 0, 0, 0, 1, 0]), [1, 0, 4, 0]),
    ],
    ['half a step', 'NODE_BOUNDS', 64, dmar(drhd(0, 0, 0, scope(2, 0, 1, 0, 2)))],
    ['a device beyond 31', 'BDF', 70, dmar(drhd(0, 0, 0, scope(1, 0, 32, 0)))],
    ['a function beyond 7', 'BDF', 70, dmar(drhd(1, 0, 0, scope(2, 0, 31, 8)))],
  ];
  it.each(malformed)('refuses %s', (_, code, offset, bytes) => {
    expect(() => readDmar(bytes)).toThrowError(expect.objectContaining({ code, offset }));
  });

  it('answers any bytes with a topology or a ViotError', () => {
    const structure = fc.oneof(
      fc.array(fc.nat(255), { maxLength: 20 }),
      fc
        .tuple(fc.nat(3), fc.nat(2), fc.array(fc.tuple(fc.nat(6), fc.nat(40)), { maxLength: 4 }))
        .map(([flags, segment, scopes]) =>
          drhd(flags, segment, 0x1000, ...scopes.map(([type, a]) => scope(type, 0, a, 0, 1, 2))),
        ),
    );
    fc.assert(
      fc.property(fc.array(structure, { maxLength: 5 }), (parts) => {
        try {
          const { iommus, endpoints } = readDmar(dmar(...parts));
          expect(endpoints.every(({ iommu }) => iommus[iommu] !== undefined)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
        }
      }),
    );
  });
});
