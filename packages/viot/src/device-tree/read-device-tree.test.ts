import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatten, type TreeSource } from '../fixtures/tree-bytes.ts';
import { readTopology } from '../read-topology.ts';
import type { PciEndpointRange } from '../topology.ts';
import { readDeviceTree } from './read-device-tree.ts';

/** `qemu-system-aarch64 -machine virt,gic-version=3,dumpdtb=… -device virtio-iommu-pci,addr=1`, QEMU 7.2, without the padding. */
const QEMU = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../fixtures/qemu-virt.dtb', import.meta.url))),
);

const IOMMU = 0x10;
const OTHER = 0x11;

function range(
  bdfStart: number,
  bdfEnd: number,
  endpointStart: number,
  segment = 0,
): PciEndpointRange {
  const bounds = { segmentStart: segment, segmentEnd: segment, bdfStart, bdfEnd };
  return { kind: 'pci', ...bounds, endpointStart, iommu: 0 };
}

/** A host bridge with a virtio-iommu at 00:01.0. */
function bridge(
  properties: TreeSource['properties'],
  children: TreeSource['children'] = {},
): TreeSource {
  const iommu = {
    compatible: 'pci1af4,1057',
    reg: [0x800, 0, 0, 0, 0],
    '#iommu-cells': [1],
    phandle: [IOMMU],
  };
  return {
    properties: { device_type: 'pci', ...properties },
    children: { 'iommu@1': { properties: iommu }, ...children },
  };
}

const iommuMap = (...cells: number[]): TreeSource => ({
  children: { pcie: bridge({ 'iommu-map': cells }) },
});
const endpoints = (source: TreeSource) => readDeviceTree(flatten(source)).endpoints;

describe('readDeviceTree', () => {
  it("reads the tree of QEMU's arm64 machine", () => {
    expect(readDeviceTree(QEMU)).toEqual({
      iommus: [{ kind: 'pci', segment: 0, bdf: 8 }],
      endpoints: [range(0, 7, 0), range(9, 0xffff, 9)],
    });
  });

  it('is what readTopology reads a device tree with', () => {
    expect(readTopology(QEMU)).toEqual(readDeviceTree(QEMU));
  });

  it('takes the first entry that has a requester ID, and joins what goes on', () => {
    expect(
      endpoints(
        iommuMap(0x20, IOMMU, 0x1020, 0x10, 0x30, IOMMU, 0x1030, 0x10, 0, IOMMU, 0x5000, 0x100),
      ),
    ).toEqual([range(0, 0x1f, 0x5000), range(0x20, 0x3f, 0x1020), range(0x40, 0xff, 0x5040)]);
  });

  it('looks a requester ID up after the mask', () => {
    const pcie = bridge({ 'iommu-map': [0, IOMMU, 0x100, 0x10], 'iommu-map-mask': [0xff07] });
    const ranges = endpoints({ children: { pcie } });
    // Functions of all 32 devices of bus 0 share the IDs 0x100 to 0x107.
    expect(ranges).toHaveLength(32);
    expect(ranges[31]).toEqual(range(0xf8, 0xff, 0x100));
  });

  it('goes on at 0 after the last endpoint ID, as 32 bits do', () => {
    expect(endpoints(iommuMap(0, IOMMU, 0xfffffffe, 4))).toEqual([
      range(0, 1, 0xfffffffe),
      range(2, 3, 0),
    ]);
  });

  it('ends at the last requester ID, whatever the length says', () => {
    expect(endpoints(iommuMap(0xfff0, IOMMU, 0, 0xffffffff))).toEqual([range(0xfff0, 0xffff, 0)]);
  });

  it('passes over what is behind other IOMMUs, which keep their requester IDs', () => {
    const smmu = {
      properties: { compatible: 'arm,smmu-v3', '#iommu-cells': [2], phandle: [OTHER] },
    };
    const device = {
      properties: { '#address-cells': [1], reg: [0x9000, 0x100], iommus: [OTHER, 1, 2, IOMMU, 7] },
    };
    const source = iommuMap(0, OTHER, 0, 0x10, 0, IOMMU, 0, 0x20);
    expect(
      endpoints({
        properties: { '#address-cells': [1] },
        children: { ...source.children, smmu, device },
      }),
    ).toEqual([range(0x10, 0x1f, 0x10), { kind: 'mmio', base: 0x9000, endpoint: 7, iommu: 0 }]);
  });

  it('numbers segments by their domain, and the others with what is left', () => {
    const map = { 'iommu-map': [0, IOMMU, 0, 8] };
    const children = {
      'pcie@1': bridge(map),
      'pcie@2': bridge({ ...map, 'linux,pci-domain': [0] }),
      'pcie@3': bridge(map),
    };
    expect(
      endpoints({ children }).map((found) => 'segmentStart' in found && found.segmentStart),
    ).toEqual([1, 0, 2]);
  });

  it('passes over disabled nodes, with what is behind them', () => {
    const pcie = bridge({ 'iommu-map': [0, OTHER, 0, 8] });
    const mmio = {
      compatible: 'virtio,mmio',
      '#iommu-cells': [1],
      phandle: [OTHER],
      status: 'disabled',
    };
    expect(readDeviceTree(flatten({ children: { pcie, mmio: { properties: mmio } } }))).toEqual({
      iommus: [{ kind: 'pci', segment: 0, bdf: 8 }],
      endpoints: [],
    });
  });

  it('reads addresses through the buses above', () => {
    const iommu = {
      compatible: 'virtio,mmio',
      reg: [0x200, 0x200],
      '#iommu-cells': [1],
      phandle: [IOMMU],
    };
    const device = { reg: [0x1000, 0x200], iommus: [IOMMU, 0x77] };
    const bus = {
      properties: {
        '#address-cells': [1],
        '#size-cells': [1],
        ranges: [0, 0xc, 0x0d000000, 0x1000, 0x1000, 0, 0x0a000000, 0x1000],
      },
      children: { iommu: { properties: iommu }, device: { properties: device } },
    };
    // With empty ranges addresses stay as they are.
    const soc = { properties: { '#address-cells': [2], ranges: [] }, children: { bus } };
    expect(readDeviceTree(flatten({ children: { soc } }))).toEqual({
      iommus: [{ kind: 'mmio', base: 0xc0d000200 }],
      endpoints: [{ kind: 'mmio', base: 0x0a000000, endpoint: 0x77, iommu: 0 }],
    });
  });

  it('passes over devices that have no address', () => {
    const reg = [0, 0x1000, 0, 0x200];
    const bus = { children: { device: { properties: { reg, iommus: [IOMMU, 1] } } } };
    const device = { properties: { iommus: [IOMMU, 1] } };
    expect(endpoints({ children: { pcie: bridge({}), bus, device } })).toEqual([]);
  });

  const mmio = { compatible: 'virtio,mmio', '#iommu-cells': [1], phandle: [IOMMU] };
  const at = (address: number) => ({ reg: [0, address, 0, 0x200] });
  const refused: [string, string, TreeSource][] = [
    ['a phandle that no node has', 'IOMMU', iommuMap(0, 99, 0, 1)],
    ['an iommu-map of 5 cells', 'SYNTAX', iommuMap(0, IOMMU, 0, 1, 5)],
    [
      'a mask without bits of a requester ID',
      'SYNTAX',
      {
        children: {
          pcie: bridge({ 'iommu-map': [1, IOMMU, 0, 8], 'iommu-map-mask': [0xfff8] }),
        },
      },
    ],
    [
      'an iommu-map of no whole cells',
      'SYNTAX',
      { children: { pcie: bridge({ 'iommu-map': 'abcd' }) } },
    ],
    [
      'a segment of more than 16 bits',
      'BDF',
      { children: { pcie: bridge({ 'linux,pci-domain': [65536] }) } },
    ],
    ['an MMIO IOMMU without registers', 'SYNTAX', { children: { mmio: { properties: mmio } } }],
    [
      'an address of 64 bits',
      'ADDRESS',
      { children: { mmio: { properties: { ...mmio, reg: [0x80000000, 0, 0, 0x200] } } } },
    ],
    [
      'two endpoint IDs for a device',
      'SYNTAX',
      {
        children: {
          mmio: { properties: { ...mmio, ...at(0) } },
          device: { properties: { ...at(0x1000), iommus: [IOMMU, 1, IOMMU, 2] } },
        },
      },
    ],
    [
      'an IOMMU without an endpoint ID',
      'SYNTAX',
      {
        children: {
          mmio: { properties: { ...mmio, ...at(0) } },
          device: { properties: { ...at(0x1000), iommus: [IOMMU] } },
        },
      },
    ],
  ];
  it.each(refused)('refuses %s', (_, code, source) => {
    expect(() => readDeviceTree(flatten(source))).toThrowError(expect.objectContaining({ code }));
  });

  const damaged: [string, string, number, Record<number, number>][] = [
    ['what is no device tree', 'SIGNATURE', 4096, { 0: 0 }],
    ['fewer bytes than it says', 'LENGTH', 1000, {}],
    ['a header and no more', 'LENGTH', 20, {}],
    ['a later version', 'SYNTAX', 65536, { 27: 18 }],
    ['a structure block beyond its end', 'SYNTAX', 65536, { 8: 1 }],
    ['an unknown token', 'SYNTAX', 65536, { 67: 7 }],
  ];
  it.each(damaged)('refuses %s', (_, code, length, changes) => {
    const bytes = QEMU.slice(0, length);
    for (const [offset, value] of Object.entries(changes)) bytes[Number(offset)] = value;
    expect(() => readDeviceTree(bytes)).toThrowError(expect.objectContaining({ code }));
  });

  it('answers any damage with a topology or a ViotError', () => {
    const damage = fc.record({ at: fc.nat(QEMU.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = QEMU.slice();
        for (const { at: offset, value } of changes) bytes[offset] = value;
        try {
          readDeviceTree(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ViotError' });
        }
      }),
      { numRuns: 300 },
    );
  });
});
