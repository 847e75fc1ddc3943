/** What dtc makes of our device tree source, read back: every topology that has words there comes back whole. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  decodeInDevice,
  encodeInDevice,
  normalizeTopology,
  readDeviceTree,
  readViot,
  type Topology,
  writeDts,
  writeDtsFragment,
  writeViot,
} from '@viommu/viot';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dtc, hasTableTools } from './table-tools.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-dts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function compile(source: string): { dtb: Uint8Array; warnings: string } {
  writeFileSync(join(folder, 'x.dts'), source);
  const { stderr } = dtc(folder, '-I', 'dts', '-O', 'dtb', '-o', 'x.dtb', 'x.dts');
  return { dtb: readFileSync(join(folder, 'x.dtb')), warnings: stderr };
}

function decompile(dtb: string): string {
  return dtc(folder, '-q', '-I', 'dtb', '-O', 'dts', dtb).stdout;
}

const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const iommus = fc.uniqueArray(
  fc.oneof(
    fc.record({ kind: fc.constant('pci' as const), segment: fc.nat(2), bdf: uint(8) }),
    fc.record({
      kind: fc.constant('mmio' as const),
      base: fc.nat(0xff).map((page) => page * 0x1000),
    }),
  ),
  { minLength: 1, maxLength: 4, selector: (iommu) => JSON.stringify(iommu) },
);
const pciRange = fc
  .record({
    segment: fc.nat(2),
    more: fc.nat(1),
    start: fc.oneof(uint(8), uint(16)),
    length: uint(10),
    iommu: fc.nat(),
  })
  .map(({ segment, more, start, length, iommu }) => ({
    kind: 'pci' as const,
    segmentStart: segment,
    segmentEnd: segment + more,
    bdfStart: start,
    bdfEnd: Math.min(start + length, 0xffff),
    iommu,
  }));
const mmioEndpoint = fc.record({
  kind: fc.constant('mmio' as const),
  base: fc.oneof(
    fc.nat(0xff).map((page) => page * 0x1000),
    fc.maxSafeNat(),
  ),
  iommu: fc.nat(),
});
/** Each endpoint range has its own endpoint IDs. */
const topologies: fc.Arbitrary<Topology> = fc
  .record({
    iommus,
    ranges: fc.array(fc.oneof(pciRange, mmioEndpoint), { maxLength: 6 }),
    first: uint(24),
  })
  .map(({ iommus: all, ranges, first }) => ({
    iommus: all,
    endpoints: ranges.map((range, index) => {
      const iommu = range.iommu % all.length;
      const id = first + index * 0x100000;
      return range.kind === 'pci'
        ? { ...range, iommu, endpointStart: id }
        : { ...range, iommu, endpoint: id };
    }),
  }));

/** Where an IOMMU has it in its configuration; the drafts' own place has another meaning today. */
const HEAD_OFFSET = 40;

/** As a guest has it that asks each IOMMU for its endpoints. */
function toldByDevices(topology: Topology): Topology {
  const { iommus } = topology;
  const endpoints = iommus.flatMap((_, iommu) => {
    const bytes = encodeInDevice(topology, iommu, { headOffset: HEAD_OFFSET });
    const config = new Uint8Array(HEAD_OFFSET + bytes.length);
    config.set(bytes, HEAD_OFFSET);
    return decodeInDevice(config, HEAD_OFFSET).map((range) => ({ ...range, iommu }));
  });
  return { iommus, endpoints };
}

/** The tree of `qemu-system-aarch64 -machine virt -device virtio-iommu-pci,addr=1`. */
const QEMU_TREE = fileURLToPath(
  new URL('../../../packages/viot/src/fixtures/qemu-virt.dtb', import.meta.url),
);

describe.runIf(hasTableTools)('dtc', () => {
  it('gives every topology back, and so do a VIOT and what IOMMUs tell themselves, made of that', () => {
    fc.assert(
      fc.property(topologies, (topology) => {
        const normal = normalizeTopology(topology);
        const { dtb } = compile(writeDts(topology));
        const read = normalizeTopology(readDeviceTree(dtb));
        expect(read).toEqual(normal);
        const fromViot = normalizeTopology(readViot(writeViot(read)));
        expect(fromViot).toEqual(normal);
        expect(normalizeTopology(toldByDevices(fromViot))).toEqual(normal);
      }),
      { numRuns: 200 },
    );
  });

  it('has no warning for a tree with a host bridge and interrupts', () => {
    const source = writeDts(
      {
        iommus: [
          { kind: 'pci', segment: 0, bdf: 0x20 },
          { kind: 'mmio', base: 0x10000000 },
        ],
        endpoints: [
          {
            kind: 'pci',
            ...{ segmentStart: 0, segmentEnd: 0, bdfStart: 0, bdfEnd: 0xffff, endpointStart: 0 },
            iommu: 0,
          },
          { kind: 'mmio', base: 0x10001000, endpoint: 0x1000, iommu: 1 },
        ],
      },
      {
        hostBridges: [
          {
            segment: 0,
            ecam: 0x4010000000,
            properties: ['ranges = <0x2000000 0x0 0x20000000 0x0 0x20000000 0x0 0x10000000>;'],
          },
        ],
        devices: [{ base: 0x10000000, properties: ['dma-coherent;'] }],
      },
    );
    expect(compile(source).warnings).toBe('');
  });

  it.each(['1', '4'])(
    'merges a fragment into the tree of a machine, IOMMU at 00:0%s.0',
    (device) => {
      const topology: Topology = {
        iommus: [
          { kind: 'pci', segment: 0, bdf: Number(device) << 3 },
          { kind: 'mmio', base: 0x10000000 },
        ],
        endpoints: [
          {
            kind: 'pci',
            ...{
              segmentStart: 0,
              segmentEnd: 0,
              bdfStart: 0x28,
              bdfEnd: 0x2f,
              endpointStart: 0x28,
            },
            iommu: 0,
          },
          { kind: 'mmio', base: 0xa000000, endpoint: 0x1000, iommu: 0 },
          { kind: 'mmio', base: 0x10001000, endpoint: 0x1001, iommu: 1 },
        ],
      };
      const fragment = writeDtsFragment(topology, {
        hostBridges: [{ segment: 0, node: '/pcie@10000000' }],
        devices: [
          { base: 0xa000000, node: '/virtio_mmio@a000000' },
          { base: 0x10000000, interrupts: [0, 5, 4], properties: ['dma-coherent;'] },
        ],
      });
      const { dtb } = compile(`${withoutIommu(decompile(QEMU_TREE))}\n${fragment}`);
      expect(normalizeTopology(readDeviceTree(dtb))).toEqual(normalizeTopology(topology));
      const phandles = [...decompile('x.dtb').matchAll(/\tphandle = <(.*)>;/g)].map(
        ([, value]) => value,
      );
      expect(new Set(phandles).size).toBe(phandles.length);
    },
  );
});

/** As a machine without an IOMMU has its tree. */
function withoutIommu(source: string): string {
  return source.replace(/\n\t\tiommu-map = .*/, '').replace(/\n\t\tvirtio_iommu@[^}]*};/, '');
}
