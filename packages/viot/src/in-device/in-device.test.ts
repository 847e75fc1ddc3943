import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, le } from '../fixtures/bytes-of.ts';
import type { PassedOver } from '../passed-over.ts';
import type { EndpointRange, Topology } from '../topology.ts';
import { decodeInDevice } from './decode.ts';
import { encodeInDevice } from './encode.ts';

const TOPOLOGY: Topology = {
  iommus: [
    { kind: 'pci', segment: 0, bdf: 0x20 },
    { kind: 'mmio', base: 0x5000 },
    { kind: 'vendor', model: 'vt-d', base: 0xfed90000 },
  ],
  endpoints: [
    { ...pci(0x1234, 0x1235, 0x28, 0x2f, 0x500), iommu: 0 },
    { ...pci(0, 0, 0, 0xffff, 0), iommu: 1 },
    { kind: 'mmio', base: 0x12_3456_7000, endpoint: 0x20000, iommu: 0 },
  ],
};

/** As it was written for version 3 of the draft: count 3 and offset, then the items. */
const ITEMS = `
  01 00 10 00 00 05 00 00 34 12 28 00 2f 00 00 00
  01 00 10 00 00 05 01 00 35 12 28 00 2f 00 00 00
  02 00 10 00 00 00 02 00 00 70 56 34 12 00 00 00`;

function pci(segmentStart: number, segmentEnd: number, start: number, end: number, id: number) {
  const bdfs = { bdfStart: start, bdfEnd: end };
  return { kind: 'pci', segmentStart, segmentEnd, ...bdfs, endpointStart: id, iommu: 0 } as const;
}

/** A configuration space with a head at 40 and what follows it. */
function config(count: number, offset: number, ...rest: number[]): Uint8Array {
  return Uint8Array.from([
    ...new Array<number>(40).fill(0xee),
    ...[...le(2, count), ...le(2, offset), 0, 0, 0, 0],
    ...rest,
  ]);
}

const RANGE = [...bytesOf('01 00 10 00 00 05 00 00 34 12 28 00 2f 00 00 00')];
const DEVICE = [...bytesOf('02 00 10 00 00 00 02 00 00 70 56 34 12 00 00 00')];

describe('encodeInDevice', () => {
  it('writes the endpoints of one IOMMU, an item for each segment', () => {
    expect(encodeInDevice(TOPOLOGY, 0, { headOffset: 40 })).toEqual(
      bytesOf(`03 00 30 00 00 00 00 00 ${ITEMS}`),
    );
    expect(encodeInDevice(TOPOLOGY, 1, { headOffset: 44 })).toEqual(
      bytesOf('01 00 30 00  01 00 10 00 00 00 00 00 00 00 00 00 ff ff 00 00'),
    );
  });

  it('puts the items where they are wanted', () => {
    const bytes = encodeInDevice(TOPOLOGY, 0, { headOffset: 44, itemsOffset: 64 });
    expect(bytes).toEqual(bytesOf(`03 00 40 00 ${'00 '.repeat(16)} ${ITEMS}`));
  });

  it('writes a head of zeroes for an IOMMU without endpoints', () => {
    const topology = { iommus: TOPOLOGY.iommus, endpoints: [] };
    expect(encodeInDevice(topology, 0, { headOffset: 40 })).toEqual(bytesOf('00 00 00 00'));
  });

  const whole = { ...pci(0, 0xffff, 0, 0, 0), iommu: 0 };
  const refused: [string, string, Topology, number, number, number?][] = [
    ['an IOMMU that is not there', 'IOMMU', TOPOLOGY, 3, 40],
    ['an IOMMU of a vendor', 'IOMMU', TOPOLOGY, 2, 40],
    ['ranges that overlap', 'OVERLAP', { ...TOPOLOGY, endpoints: [whole, whole] }, 0, 40],
    ['more items than 16 bits count', 'SIZE', { ...TOPOLOGY, endpoints: [whole] }, 0, 40],
    ['no place for the head', 'SIZE', TOPOLOGY, 0, -4],
    ['half an offset', 'SIZE', TOPOLOGY, 0, 40.5],
    ['items in the head', 'SIZE', TOPOLOGY, 0, 40, 40],
    ['items that are not aligned', 'SIZE', TOPOLOGY, 0, 40, 52],
    ['items beyond 64 KiB', 'SIZE', TOPOLOGY, 0, 40, 65536],
  ];
  it.each(refused)('refuses %s', (_, code, topology, index, headOffset, itemsOffset) => {
    const place = itemsOffset === undefined ? { headOffset } : { headOffset, itemsOffset };
    expect(() => encodeInDevice(topology, index, place)).toThrowError(
      expect.objectContaining({ name: 'ViotError', code }),
    );
  });
});

describe('decodeInDevice', () => {
  it('reads both kinds of items, one behind the other', () => {
    expect(decodeInDevice(config(2, 48, ...RANGE, ...DEVICE), 40)).toEqual([
      pci(0x1234, 0x1234, 0x28, 0x2f, 0x500),
      { kind: 'mmio', base: 0x12_3456_7000, endpoint: 0x20000, iommu: 0 },
    ]);
  });

  it('finds nothing where there is no item or no offset', () => {
    expect(decodeInDevice(config(0, 48, ...RANGE), 40)).toEqual([]);
    expect(decodeInDevice(config(1, 0, ...RANGE), 40)).toEqual([]);
  });

  it('passes over items of other types, and what items have beyond their fields', () => {
    const seen: PassedOver[] = [];
    const longer = [...RANGE.with(2, 24), 1, 2, 3, 4, 5, 6, 7, 8];
    const bytes = config(3, 48, 7, 0, 4, 0, ...longer, ...DEVICE);
    const endpoints = decodeInDevice(bytes, 40, (what) => seen.push(what));
    expect(endpoints.map(({ kind }) => kind)).toEqual(['pci', 'mmio']);
    expect(seen).toEqual([{ offset: 48, reason: expect.stringContaining('type 7') }]);
  });

  const malformed: [string, string, number, Uint8Array][] = [
    ['no room for the head', 'LENGTH', 40, config(1, 48).subarray(0, 43)],
    ['items behind the end', 'NODE_BOUNDS', 60000, config(1, 60000)],
    ['an item without a whole head', 'NODE_BOUNDS', 48, config(1, 48, 7, 0, 4)],
    ['an item of length 0', 'NODE_BOUNDS', 48, config(1, 48, 7, 0, 0, 0)],
    ['an item beyond the end', 'NODE_BOUNDS', 48, config(1, 48, 7, 0, 5, 0)],
    ['too short a range', 'NODE_BOUNDS', 48, config(1, 48, ...RANGE.with(2, 15))],
    ['too short a device', 'NODE_BOUNDS', 64, config(2, 48, ...RANGE, ...DEVICE.with(2, 15))],
    ['more items than there are', 'NODE_BOUNDS', 64, config(2, 48, ...RANGE)],
    ['a range that ends before it starts', 'RANGE', 48, config(1, 48, ...RANGE.with(12, 0x27))],
    ['an address beyond 2^53', 'ADDRESS', 56, config(1, 48, ...DEVICE.with(14, 0x20))],
  ];
  it.each(malformed)('refuses %s', (_, code, offset, bytes) => {
    expect(() => decodeInDevice(bytes, 40)).toThrowError(expect.objectContaining({ code, offset }));
  });

  it('answers any bytes with endpoints or a ViotError', () => {
    const item = fc.oneof(
      fc.constantFrom(RANGE, DEVICE),
      fc.array(fc.nat(255), { minLength: 4, maxLength: 20 }),
    );
    const items = fc.array(item, { maxLength: 5 }).map((all) => all.flat());
    fc.assert(
      fc.property(items, fc.nat(6), fc.nat(60), fc.nat(120), (bytes, count, offset, headOffset) => {
        let endpoints: EndpointRange[] = [];
        try {
          endpoints = decodeInDevice(config(count, offset, ...bytes), headOffset % 60);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
        }
        for (const { iommu } of endpoints) expect(iommu).toBe(0);
      }),
    );
  });
});
