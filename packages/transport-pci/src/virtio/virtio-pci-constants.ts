/** Constants of "Virtio Over PCI Bus", and where our function puts each structure. Offsets and sizes are in bytes. */

export const VIRTIO_PCI_VENDOR_ID = 0x1af4;
/** "PCI Device Discovery": plus the device type, the PCI Device ID of a device that is not transitional. */
export const VIRTIO_PCI_TRANSITIONAL_ID_BASE = 0x1000;
export const VIRTIO_PCI_DEVICE_ID_BASE = 0x1040;
export const VIRTIO_PCI_DEVICE_ID_LAST = 0x107f;

export const VIRTIO_PCI_CAP_COMMON_CFG = 1;
export const VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
export const VIRTIO_PCI_CAP_ISR_CFG = 3;
export const VIRTIO_PCI_CAP_DEVICE_CFG = 4;
export const VIRTIO_PCI_CAP_PCI_CFG = 5;

// struct virtio_pci_cap {
//   u8 cap_vndr; u8 cap_next; u8 cap_len; u8 cfg_type; u8 bar; u8 id; u8 padding[2]; le32 offset; le32 length;
// };
export const CAP_LEN = 2;
export const CAP_CFG_TYPE = 3;
export const CAP_BAR = 4;
export const CAP_OFFSET = 8;
export const CAP_LENGTH = 12;
export const CAP_SIZE = 16;
/** The field that follows in struct virtio_pci_notify_cap. */
export const CAP_NOTIFY_OFF_MULTIPLIER = 16;
/** The field that follows in struct virtio_pci_cfg_cap. */
export const CAP_PCI_CFG_DATA = 16;

// struct virtio_pci_common_cfg
export const COMMON_DEVICE_FEATURE_SELECT = 0x00;
export const COMMON_DEVICE_FEATURE = 0x04;
export const COMMON_DRIVER_FEATURE_SELECT = 0x08;
export const COMMON_DRIVER_FEATURE = 0x0c;
export const COMMON_CONFIG_MSIX_VECTOR = 0x10;
export const COMMON_NUM_QUEUES = 0x12;
export const COMMON_DEVICE_STATUS = 0x14;
export const COMMON_CONFIG_GENERATION = 0x15;
export const COMMON_QUEUE_SELECT = 0x16;
export const COMMON_QUEUE_SIZE = 0x18;
export const COMMON_QUEUE_MSIX_VECTOR = 0x1a;
export const COMMON_QUEUE_ENABLE = 0x1c;
export const COMMON_QUEUE_NOTIFY_OFF = 0x1e;
export const COMMON_QUEUE_DESC_LO = 0x20;
export const COMMON_QUEUE_DESC_HI = 0x24;
export const COMMON_QUEUE_DRIVER_LO = 0x28;
export const COMMON_QUEUE_DRIVER_HI = 0x2c;
export const COMMON_QUEUE_DEVICE_LO = 0x30;
export const COMMON_QUEUE_DEVICE_HI = 0x34;
export const COMMON_QUEUE_NOTIF_CONFIG_DATA = 0x38;
export const COMMON_QUEUE_RESET = 0x3a;
export const COMMON_ADMIN_QUEUE_INDEX = 0x3c;
export const COMMON_ADMIN_QUEUE_NUM = 0x3e;
export const COMMON_SIZE = 0x40;

export const VIRTIO_MSI_NO_VECTOR = 0xffff;

export const ISR_QUEUE_INTERRUPT = 1;
export const ISR_CONFIGURATION_INTERRUPT = 2;
