import { describe, expect, it } from 'vitest';
import { bytesOf } from '../fixtures/bytes-of.ts';
import type { PciEndpointRange, Topology } from '../topology.ts';
import type { ViotErrorCode } from '../viot-error.ts';
import { writeViot } from './topology-table.ts';

const QEMU = { oemId: 'BOCHS', oemTableId: 'BXPC', creatorId: 'BXPC' };

function range(changes: Partial<PciEndpointRange>): PciEndpointRange {
  const whole = { segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0 };
  return { kind: 'pci', ...whole, endpointStart: 0, iommu: 0, ...changes };
}

describe('writeViot', () => {
  it('writes what QEMU writes for its aarch64 machine', () => {
    const topology: Topology = {
      iommus: [{ kind: 'pci', segment: 0, bdf: 0x0008 }],
      endpoints: [range({ bdfEnd: 0x00ff })],
    };
    expect(writeViot(topology, QEMU)).toEqual(
      bytesOf(`
        56 49 4f 54 58 00 00 00 00 66 42 4f 43 48 53 20
        42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43
        01 00 00 00 02 00 30 00 00 00 00 00 00 00 00 00
        03 00 10 00 00 00 08 00 00 00 00 00 00 00 00 00
        01 00 18 00 00 00 00 00 00 00 00 00 00 00 ff 00
        30 00 00 00 00 00 00 00`),
    );
  });

  // Both taken out of the memory of a machine of QEMU 11.1.3, where SeaBIOS had put them.
  it('writes what QEMU writes for its q35 machine', () => {
    const topology: Topology = {
      iommus: [{ kind: 'pci', segment: 0, bdf: 0x0020 }],
      endpoints: [range({ bdfEnd: 0x00ff })],
    };
    expect(writeViot(topology, QEMU)).toEqual(
      bytesOf(`
        56 49 4f 54 58 00 00 00 00 4e 42 4f 43 48 53 20
        42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43
        01 00 00 00 02 00 30 00 00 00 00 00 00 00 00 00
        03 00 10 00 00 00 20 00 00 00 00 00 00 00 00 00
        01 00 18 00 00 00 00 00 00 00 00 00 00 00 ff 00
        30 00 00 00 00 00 00 00`),
    );
  });

  it('writes what QEMU writes for its q35 machine with two more host bridges', () => {
    const topology: Topology = {
      iommus: [{ kind: 'pci', segment: 0, bdf: 0x0010 }],
      endpoints: [
        range({ bdfStart: 0x1000, bdfEnd: 0x10ff, endpointStart: 0x1000 }),
        range({ bdfStart: 0x3000, bdfEnd: 0x30ff, endpointStart: 0x3000 }),
      ],
    };
    expect(writeViot(topology, QEMU)).toEqual(
      bytesOf(`
        56 49 4f 54 70 00 00 00 00 3d 42 4f 43 48 53 20
        42 58 50 43 20 20 20 20 01 00 00 00 42 58 50 43
        01 00 00 00 03 00 30 00 00 00 00 00 00 00 00 00
        03 00 10 00 00 00 10 00 00 00 00 00 00 00 00 00
        01 00 18 00 00 10 00 00 00 00 00 00 00 10 ff 10
        30 00 00 00 00 00 00 00
        01 00 18 00 00 30 00 00 00 00 00 00 00 30 ff 30
        30 00 00 00 00 00 00 00`),
    );
  });

  it('points each range at the node of its own IOMMU', () => {
    const table = writeViot({
      iommus: [
        { kind: 'pci', segment: 0, bdf: 0x20 },
        { kind: 'pci', segment: 1, bdf: 0x20 },
      ],
      endpoints: [
        range({ bdfStart: 0x28, bdfEnd: 0x28, iommu: 1 }),
        range({ segmentStart: 1, segmentEnd: 2, endpointStart: 0x12345678 }),
      ],
    });
    // IOMMU nodes at 48 and 64, ranges at 80 and 104.
    expect([...table.subarray(64, 72)]).toEqual([3, 0, 16, 0, 1, 0, 0x20, 0]);
    expect([...table.subarray(80 + 16, 80 + 18)]).toEqual([64, 0]);
    expect([...table.subarray(104 + 4, 104 + 18)]).toEqual([
      0x78, 0x56, 0x34, 0x12, 1, 0, 2, 0, 0, 0, 0, 0, 48, 0,
    ]);
    expect(table.length).toBe(128);
    expect(table.reduce((sum, byte) => sum + byte, 0) % 256).toBe(0);
  });

  const iommus = [{ kind: 'pci', segment: 0, bdf: 0x20 }] as const;
  const refused: [string, ViotErrorCode, Topology][] = [
    ['a missing IOMMU', 'IOMMU', { iommus, endpoints: [range({ iommu: 1 })] }],
    ['two IOMMUs in one function', 'IOMMU', { iommus: [...iommus, ...iommus], endpoints: [] }],
    [
      'an IOMMU at no BDF',
      'BDF',
      { iommus: [{ kind: 'pci', segment: 0, bdf: 65536 }], endpoints: [] },
    ],
    ['a range at no BDF', 'BDF', { iommus, endpoints: [range({ bdfEnd: 0x10000 })] }],
    ['BDFs that end before they start', 'RANGE', { iommus, endpoints: [range({ bdfStart: 1 })] }],
    [
      'segments that end before they start',
      'RANGE',
      { iommus, endpoints: [range({ segmentStart: 1 })] },
    ],
    [
      'an endpoint ID beyond 32 bits',
      'ENDPOINT_ID',
      { iommus, endpoints: [range({ bdfEnd: 1, endpointStart: 0xffffffff })] },
    ],
    [
      'two ranges with one function',
      'OVERLAP',
      {
        iommus,
        endpoints: [
          range({ bdfEnd: 0x28 }),
          range({ bdfStart: 0x28, bdfEnd: 0x30, endpointStart: 0x100 }),
        ],
      },
    ],
    [
      'two ranges with one endpoint ID',
      'OVERLAP',
      {
        iommus,
        endpoints: [
          range({ bdfEnd: 0x28 }),
          range({ bdfStart: 0x30, bdfEnd: 0x30, endpointStart: 0x28 }),
        ],
      },
    ],
    [
      'two ranges with one endpoint ID in a further segment',
      'OVERLAP',
      {
        iommus,
        endpoints: [
          range({ segmentEnd: 3, bdfEnd: 7 }),
          range({ segmentStart: 9, segmentEnd: 9, endpointStart: 0x20007 }),
        ],
      },
    ],
  ];
  it.each(refused)('refuses %s', (_, code, topology) => {
    expect(() => writeViot(topology)).toThrowError(expect.objectContaining({ code }));
  });

  it('takes the same endpoint ID of two IOMMUs, and IDs between those of another range', () => {
    const two = [...iommus, { kind: 'pci', segment: 1, bdf: 0x20 }] as const;
    expect(() =>
      writeViot({
        iommus: two,
        endpoints: [range({}), range({ bdfStart: 1, bdfEnd: 1, iommu: 1 })],
      }),
    ).not.toThrow();
    expect(() =>
      writeViot({
        iommus,
        endpoints: [
          range({ segmentEnd: 3, bdfEnd: 7 }),
          range({ segmentStart: 9, segmentEnd: 9, endpointStart: 0x20008 }),
        ],
      }),
    ).not.toThrow();
  });

  it.each([{ oemId: 'SEVENTH' }, { oemTableId: 'é' }, { creatorId: 'CREATOR' }])(
    'refuses the OEM field %j',
    (options) => {
      expect(() => writeViot({ iommus, endpoints: [] }, options)).toThrowError(
        expect.objectContaining({ code: 'OEM' }),
      );
    },
  );

  it('refuses more nodes than 16 bits can point at', () => {
    const many = Array.from(
      { length: 4094 },
      (_, bdf) => ({ kind: 'pci', segment: 0, bdf }) as const,
    );
    expect(() => writeViot({ iommus: many, endpoints: [] })).toThrowError(
      expect.objectContaining({ code: 'SIZE' }),
    );
    expect(() => writeViot({ iommus: many.slice(1), endpoints: [] })).not.toThrow();
  });
});
