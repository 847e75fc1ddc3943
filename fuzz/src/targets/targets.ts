/** The table of targets: one line each, one file or folder behind it. */
import type { TargetEntry } from '../engine/target.ts';
import { EventTarget } from './iommu/event-target.ts';
import { RequestTarget } from './iommu/request-target.ts';
import { SequenceTarget } from './iommu/sequence-target.ts';
import { MmioTarget } from './machine/mmio-target.ts';
import { PciTarget } from './machine/pci-target.ts';
import { SnapshotTarget } from './machine/snapshot-target.ts';
import { packedFormat } from './ring/packed-format.ts';
import { RingTarget } from './ring/ring-target.ts';
import { splitFormat } from './ring/split-format.ts';
import { VfioUserTarget } from './socket/vfio-user-target.ts';
import { DtTarget } from './tables/dt-target.ts';
import { VendorTablesTarget } from './tables/vendor-tables-target.ts';
import { ViotTarget } from './tables/viot-target.ts';
import { TraceTarget } from './trace/trace-target.ts';

const MACHINE = [
  'virtqueue',
  'iommu-core',
  'transport-pci',
  'transport-mmio',
  'mmio-windows',
  'devices',
];

export const TARGETS: Readonly<Record<string, TargetEntry>> = {
  split: { create: () => new RingTarget(splitFormat), packages: ['virtqueue'] },
  packed: { create: () => new RingTarget(packedFormat), packages: ['virtqueue'] },
  request: { create: () => new RequestTarget(), packages: ['iommu-core', 'pviommu-sim'] },
  event: { create: () => new EventTarget(), packages: ['iommu-core', 'pviommu-sim'] },
  sequence: { create: () => new SequenceTarget(), packages: ['iommu-core', 'pviommu-sim'] },
  snapshot: { create: () => new SnapshotTarget(), packages: MACHINE },
  pci: { create: () => new PciTarget(), packages: MACHINE },
  mmio: { create: () => new MmioTarget(), packages: MACHINE },
  'vfio-user': { create: () => new VfioUserTarget(), packages: ['vfio-user'] },
  trace: { create: () => new TraceTarget(), packages: ['trace', 'machine'] },
  viot: { create: () => new ViotTarget(), packages: ['viot'] },
  dt: { create: () => new DtTarget(), packages: ['viot'] },
  'vendor-tables': { create: () => new VendorTablesTarget(), packages: ['viot'] },
};
