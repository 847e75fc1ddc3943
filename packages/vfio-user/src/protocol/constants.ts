/** Numbers of the vfio-user protocol 0.1, named as in its specification and in <linux/vfio.h>. */

export const VFIO_USER_VERSION = 1;
export const VFIO_USER_DMA_MAP = 2;
export const VFIO_USER_DMA_UNMAP = 3;
export const VFIO_USER_DEVICE_GET_INFO = 4;
export const VFIO_USER_DEVICE_GET_REGION_INFO = 5;
export const VFIO_USER_DEVICE_GET_IRQ_INFO = 7;
export const VFIO_USER_DEVICE_SET_IRQS = 8;
export const VFIO_USER_REGION_READ = 9;
export const VFIO_USER_REGION_WRITE = 10;
export const VFIO_USER_DMA_READ = 11;
export const VFIO_USER_DMA_WRITE = 12;
export const VFIO_USER_DEVICE_RESET = 13;
export const VFIO_USER_REGION_WRITE_MULTI = 15;

/** "Header": the flags. */
export const FLAGS_TYPE_MASK = 0xf;
export const FLAGS_TYPE_COMMAND = 0;
export const FLAGS_TYPE_REPLY = 1;
export const FLAGS_NO_REPLY = 0x10;
export const FLAGS_ERROR = 0x20;

/** "Message sizes": the most data in one message, in both directions; QEMU announces the same. */
export const MAX_DATA_XFER_SIZE = 1048576;
/** "Version": the most file descriptors that we take with one message; QEMU announces the same. */
export const MAX_MSG_FDS = 16;
/** "Version": the most DMA windows at one time, the default when nothing is announced. */
export const MAX_DMA_MAPS = 65535;
/** QEMU's limit of writes in one VFIO_USER_REGION_WRITE_MULTI. */
export const MAX_MULTI_WRITES = 200;

export const VFIO_USER_DMA_FLAG_READ = 1;
export const VFIO_USER_DMA_FLAG_WRITE = 2;
export const VFIO_DMA_UNMAP_FLAG_ALL = 2;

export const VFIO_DEVICE_FLAGS_RESET = 1;
export const VFIO_DEVICE_FLAGS_PCI = 2;

export const VFIO_PCI_CONFIG_REGION_INDEX = 7;
export const VFIO_PCI_NUM_REGIONS = 9;
export const VFIO_REGION_INFO_FLAG_READ = 1;
export const VFIO_REGION_INFO_FLAG_WRITE = 2;

export const VFIO_PCI_INTX_IRQ_INDEX = 0;
export const VFIO_PCI_MSIX_IRQ_INDEX = 2;
export const VFIO_PCI_NUM_IRQS = 5;
export const VFIO_IRQ_INFO_EVENTFD = 1;
export const VFIO_IRQ_INFO_MASKABLE = 2;
export const VFIO_IRQ_INFO_AUTOMASKED = 4;
export const VFIO_IRQ_INFO_NORESIZE = 8;

export const VFIO_IRQ_SET_DATA_NONE = 0x01;
export const VFIO_IRQ_SET_DATA_BOOL = 0x02;
export const VFIO_IRQ_SET_DATA_EVENTFD = 0x04;
export const VFIO_IRQ_SET_DATA_TYPE_MASK = 0x07;
export const VFIO_IRQ_SET_ACTION_MASK = 0x08;
export const VFIO_IRQ_SET_ACTION_UNMASK = 0x10;
export const VFIO_IRQ_SET_ACTION_TRIGGER = 0x20;
export const VFIO_IRQ_SET_ACTION_TYPE_MASK = 0x38;
