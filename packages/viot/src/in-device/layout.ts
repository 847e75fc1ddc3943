/**
 * Layout of the topology in a device's configuration space, little-endian; offsets and lengths in bytes. It is the third
 * draft of VIRTIO_IOMMU_F_TOPOLOGY, of August 2020, which never became part of the standard: its feature bit 6 and its
 * place at 36 are taken since, so whoever uses it chooses others.
 */

/** Number of items, 16 bits; without any there is no topology. */
export const HEAD_COUNT = 0;
/** Of the first item from the start of the configuration space, 16 bits; the others follow, each behind the one before. */
export const HEAD_OFFSET = 2;
export const HEAD_SIZE = 4;
/** Of the items. */
export const ITEM_ALIGNMENT = 8;

export const ITEM_TYPE = 0;
export const ITEM_LENGTH = 2;
export const ITEM_HEADER_SIZE = 4;

export const ITEM_PCI_RANGE = 1;
export const PCI_RANGE_ENDPOINT_START = 4;
export const PCI_RANGE_SEGMENT = 8;
export const PCI_RANGE_BDF_START = 10;
export const PCI_RANGE_BDF_END = 12;

export const ITEM_MMIO_ENDPOINT = 2;
export const MMIO_ENDPOINT_ID = 4;
export const MMIO_ENDPOINT_ADDRESS = 8;

/** Both kinds. */
export const ITEM_SIZE = 16;
