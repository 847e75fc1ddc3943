/** Layout of the ACPI VIOT table, little-endian and packed. Offsets and lengths are in bytes. */

export const VIOT_SIGNATURE = 'VIOT';
export const VIOT_REVISION = 0;

// The header that all ACPI tables begin with.
export const HEADER_SIGNATURE = 0;
export const HEADER_LENGTH = 4;
export const HEADER_REVISION = 8;
/** Makes all bytes of the table sum up to 0 modulo 256. */
export const HEADER_CHECKSUM = 9;
export const HEADER_OEM_ID = 10;
export const HEADER_OEM_ID_LENGTH = 6;
export const HEADER_OEM_TABLE_ID = 16;
export const HEADER_OEM_TABLE_ID_LENGTH = 8;
export const HEADER_OEM_REVISION = 24;
export const HEADER_CREATOR_ID = 28;
export const HEADER_CREATOR_ID_LENGTH = 4;
export const HEADER_CREATOR_REVISION = 32;

export const VIOT_NODE_COUNT = 36;
/** Of the first node, from the start of the table. */
export const VIOT_NODE_OFFSET = 38;
export const VIOT_RESERVED = 40;
export const VIOT_HEADER_SIZE = 48;

export const NODE_TYPE = 0;
export const NODE_RESERVED = 1;
export const NODE_LENGTH = 2;
export const NODE_HEADER_SIZE = 4;

export const VIOT_NODE_PCI_RANGE = 1;
export const PCI_RANGE_ENDPOINT_START = 4;
export const PCI_RANGE_SEGMENT_START = 8;
export const PCI_RANGE_SEGMENT_END = 10;
export const PCI_RANGE_BDF_START = 12;
export const PCI_RANGE_BDF_END = 14;
/** Of the IOMMU's node, from the start of the table. */
export const PCI_RANGE_OUTPUT_NODE = 16;
/** Six bytes. */
export const PCI_RANGE_RESERVED = 18;
export const PCI_RANGE_SIZE = 24;

export const VIOT_NODE_MMIO_ENDPOINT = 2;
export const MMIO_ENDPOINT_ID = 4;
export const MMIO_ENDPOINT_BASE = 8;
export const MMIO_ENDPOINT_OUTPUT_NODE = 16;
/** Six bytes. */
export const MMIO_ENDPOINT_RESERVED = 18;
export const MMIO_ENDPOINT_SIZE = 24;

export const VIOT_NODE_VIRTIO_IOMMU_PCI = 3;
export const IOMMU_PCI_SEGMENT = 4;
export const IOMMU_PCI_BDF = 6;
/** Eight bytes. */
export const IOMMU_PCI_RESERVED = 8;
export const IOMMU_PCI_SIZE = 16;

export const VIOT_NODE_VIRTIO_IOMMU_MMIO = 4;
/** Four bytes. */
export const IOMMU_MMIO_RESERVED = 4;
export const IOMMU_MMIO_BASE = 8;
export const IOMMU_MMIO_SIZE = 16;
