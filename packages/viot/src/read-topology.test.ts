import { expect, it } from 'vitest';
import { flatten } from './fixtures/tree-bytes.ts';
import { readTopology } from './read-topology.ts';
import { writeViot } from './table/topology-table.ts';
import type { Topology } from './topology.ts';

const TOPOLOGY: Topology = { iommus: [{ kind: 'mmio', base: 0x1000 }], endpoints: [] };

it('reads a VIOT', () => {
  expect(readTopology(writeViot(TOPOLOGY))).toEqual(TOPOLOGY);
});

it('reads a device tree', () => {
  const properties = { compatible: 'virtio,mmio', reg: [0, 0x1000, 0, 0x200], '#iommu-cells': [1] };
  expect(readTopology(flatten({ children: { iommu: { properties } } }))).toEqual(TOPOLOGY);
});

it.each([
  ['nothing', new Uint8Array()],
  ['another table', new TextEncoder().encode('FACP and more')],
])('says of %s what it reads', (_, bytes) => {
  expect(() => readTopology(bytes)).toThrowError(
    expect.objectContaining({ code: 'SIGNATURE', message: expect.stringContaining('VIOT') }),
  );
});
