/** Where the fields of each node are: one description for reading and writing. */
import {
  IOMMU_MMIO_BASE,
  IOMMU_MMIO_RESERVED,
  IOMMU_MMIO_SIZE,
  IOMMU_PCI_BDF,
  IOMMU_PCI_RESERVED,
  IOMMU_PCI_SEGMENT,
  IOMMU_PCI_SIZE,
  MMIO_ENDPOINT_BASE,
  MMIO_ENDPOINT_ID,
  MMIO_ENDPOINT_OUTPUT_NODE,
  MMIO_ENDPOINT_RESERVED,
  MMIO_ENDPOINT_SIZE,
  NODE_RESERVED,
  PCI_RANGE_BDF_END,
  PCI_RANGE_BDF_START,
  PCI_RANGE_ENDPOINT_START,
  PCI_RANGE_OUTPUT_NODE,
  PCI_RANGE_RESERVED,
  PCI_RANGE_SEGMENT_END,
  PCI_RANGE_SEGMENT_START,
  PCI_RANGE_SIZE,
  VIOT_NODE_MMIO_ENDPOINT,
  VIOT_NODE_PCI_RANGE,
  VIOT_NODE_VIRTIO_IOMMU_MMIO,
  VIOT_NODE_VIRTIO_IOMMU_PCI,
} from './layout.ts';
import type { ViotNode } from './viot-table.ts';

type KnownType = Exclude<ViotNode['type'], 'unknown'>;

export interface NodeLayout {
  readonly type: KnownType;
  /** As in the table. */
  readonly nodeType: number;
  /** Bytes of the structure. */
  readonly size: number;
  /** Name, offset, and size in bytes. */
  readonly fields: readonly (readonly [name: string, offset: number, size: 2 | 4 | 8])[];
  /** Offset and length of what is reserved, in order. */
  readonly reserved: readonly (readonly [offset: number, length: number])[];
}

export const NODE_LAYOUTS: readonly NodeLayout[] = [
  {
    type: 'pci-range',
    nodeType: VIOT_NODE_PCI_RANGE,
    size: PCI_RANGE_SIZE,
    fields: [
      ['endpointStart', PCI_RANGE_ENDPOINT_START, 4],
      ['segmentStart', PCI_RANGE_SEGMENT_START, 2],
      ['segmentEnd', PCI_RANGE_SEGMENT_END, 2],
      ['bdfStart', PCI_RANGE_BDF_START, 2],
      ['bdfEnd', PCI_RANGE_BDF_END, 2],
      ['outputNode', PCI_RANGE_OUTPUT_NODE, 2],
    ],
    reserved: [
      [NODE_RESERVED, 1],
      [PCI_RANGE_RESERVED, 6],
    ],
  },
  {
    type: 'mmio-endpoint',
    nodeType: VIOT_NODE_MMIO_ENDPOINT,
    size: MMIO_ENDPOINT_SIZE,
    fields: [
      ['endpoint', MMIO_ENDPOINT_ID, 4],
      ['base', MMIO_ENDPOINT_BASE, 8],
      ['outputNode', MMIO_ENDPOINT_OUTPUT_NODE, 2],
    ],
    reserved: [
      [NODE_RESERVED, 1],
      [MMIO_ENDPOINT_RESERVED, 6],
    ],
  },
  {
    type: 'virtio-iommu-pci',
    nodeType: VIOT_NODE_VIRTIO_IOMMU_PCI,
    size: IOMMU_PCI_SIZE,
    fields: [
      ['segment', IOMMU_PCI_SEGMENT, 2],
      ['bdf', IOMMU_PCI_BDF, 2],
    ],
    reserved: [
      [NODE_RESERVED, 1],
      [IOMMU_PCI_RESERVED, 8],
    ],
  },
  {
    type: 'virtio-iommu-mmio',
    nodeType: VIOT_NODE_VIRTIO_IOMMU_MMIO,
    size: IOMMU_MMIO_SIZE,
    fields: [['base', IOMMU_MMIO_BASE, 8]],
    reserved: [
      [NODE_RESERVED, 1],
      [IOMMU_MMIO_RESERVED, 4],
    ],
  },
];
