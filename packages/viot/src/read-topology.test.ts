import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acpiTable, withChecksum } from './fixtures/bytes-of.ts';
import { IASL_DMAR, IASL_IORT, IASL_IVRS, QEMU_IVRS } from './fixtures/vendor-tables.ts';
import { normalizeTopology } from './normalize.ts';
import type { PassedOver } from './passed-over.ts';
import { readTopology } from './read-topology.ts';
import { writeViot } from './table/topology-table.ts';
import { endpointRange, type Topology } from './topology.ts';

const TOPOLOGY: Topology = {
  iommus: [{ kind: 'mmio', base: 0x5000 }],
  endpoints: [{ kind: 'mmio', base: 0x9000, endpoint: 1, iommu: 0 }],
};

describe('readTopology', () => {
  it('knows each table by its signature', () => {
    expect(readTopology(writeViot(TOPOLOGY))).toEqual(TOPOLOGY);
    const models = [IASL_DMAR, IASL_IVRS, IASL_IORT].map((table) =>
      readTopology(table).iommus.map((iommu) => iommu.kind === 'vendor' && iommu.model),
    );
    expect(models).toEqual([
      ['vt-d', 'vt-d', 'vt-d'],
      ['amd-vi', 'amd-vi'],
      ['smmu-v3', 'smmu'],
    ]);
  });

  it('hands its options on', () => {
    const seen: PassedOver[] = [];
    readTopology(IASL_DMAR, { passedOver: (what) => seen.push(what) });
    expect(seen).toHaveLength(2);
  });

  it('gives what can be written as a VIOT, with virtio-iommus in the place of the others', () => {
    const original = readTopology(IASL_DMAR);
    const { iommus, endpoints } = normalizeTopology(original);
    const virtio = iommus.map((_, index) => ({ kind: 'mmio', base: 0x1000 * index }) as const);
    const back = readTopology(writeViot({ iommus: virtio, endpoints }));
    expect(back.endpoints).toEqual(endpoints);
    const bdfs = [0x0f, 0x10, 0x11];
    const behind = bdfs.map((bdf) => iommus[endpointRange(back, 0, bdf)!.iommu]);
    expect(behind).toEqual(
      bdfs.map((bdf) => original.iommus[endpointRange(original, 0, bdf)!.iommu]),
    );
    expect([behind[0] === behind[2], behind[0] === behind[1]]).toEqual([true, false]);
  });

  it.each([
    ['another table', acpiTable('FACP', [])],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_, bytes) => {
    expect(() => readTopology(bytes)).toThrowError(
      expect.objectContaining({ code: 'SIGNATURE', offset: 0 }),
    );
  });

  it('answers any damage to a table with a topology or a ViotError', () => {
    const table = fc.constantFrom(IASL_DMAR, IASL_IVRS, QEMU_IVRS, IASL_IORT, writeViot(TOPOLOGY));
    const changes = fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(table, changes, fc.nat(500), (intact, bytes, cut) => {
        const damaged = intact.slice(0, cut < 400 ? undefined : cut - 400);
        for (const [at, value] of bytes) damaged[36 + (at % (damaged.length || 1))] = value;
        try {
          const { iommus, endpoints } = readTopology(withChecksum(damaged));
          expect(endpoints.every(({ iommu }) => iommus[iommu] !== undefined)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError', offset: expect.any(Number) });
        }
      }),
      { numRuns: 3000 },
    );
  });
});
