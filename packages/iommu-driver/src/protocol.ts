/** What the driver sends and reads, as the standard's chapter "IOMMU device" lays it out; offsets and sizes in bytes. */

// "Virtqueues".
export const REQUEST_QUEUE = 0;
export const EVENT_QUEUE = 1;

// "Feature bits", as masks.
export const VIRTIO_IOMMU_F_INPUT_RANGE = 1n << 0n;
export const VIRTIO_IOMMU_F_DOMAIN_RANGE = 1n << 1n;
export const VIRTIO_IOMMU_F_MAP_UNMAP = 1n << 2n;
export const VIRTIO_IOMMU_F_PROBE = 1n << 4n;
export const VIRTIO_IOMMU_F_MMIO = 1n << 5n;
export const VIRTIO_IOMMU_F_BYPASS_CONFIG = 1n << 6n;

// struct virtio_iommu_config.
export const CONFIG_PAGE_SIZE_MASK = 0;
export const CONFIG_INPUT_RANGE_START = 8;
export const CONFIG_INPUT_RANGE_END = 16;
export const CONFIG_DOMAIN_RANGE_START = 24;
export const CONFIG_DOMAIN_RANGE_END = 28;
export const CONFIG_PROBE_SIZE = 32;
export const CONFIG_BYPASS = 36;

// "Device operations".
export const VIRTIO_IOMMU_T_ATTACH = 1;
export const VIRTIO_IOMMU_T_DETACH = 2;
export const VIRTIO_IOMMU_T_MAP = 3;
export const VIRTIO_IOMMU_T_UNMAP = 4;
export const VIRTIO_IOMMU_T_PROBE = 5;

export const VIRTIO_IOMMU_S_OK = 0;
/** By the status's value, without `VIRTIO_IOMMU_S_`. */
export const STATUS_NAMES = [
  'OK',
  'IOERR',
  'UNSUPP',
  'DEVERR',
  'INVAL',
  'RANGE',
  'NOENT',
  'FAULT',
  'NOMEM',
] as const;

export const VIRTIO_IOMMU_ATTACH_F_BYPASS = 1;
export const VIRTIO_IOMMU_MAP_F_READ = 1;
export const VIRTIO_IOMMU_MAP_F_WRITE = 2;
export const VIRTIO_IOMMU_MAP_F_MMIO = 4;

/** Of the device-readable part of each request. */
export const ATTACH_SIZE = 20;
export const DETACH_SIZE = 20;
export const MAP_SIZE = 36;
export const UNMAP_SIZE = 28;
export const PROBE_SIZE = 72;
/** struct virtio_iommu_req_tail { u8 status; u8 reserved[3]; } */
export const TAIL_SIZE = 4;

// Property RESV_MEM: le16 type, le16 length, u8 subtype, u8 reserved[3], le64 start, le64 end.
export const PROPERTY_HEAD_SIZE = 4;
export const VIRTIO_IOMMU_PROBE_T_NONE = 0;
export const VIRTIO_IOMMU_PROBE_T_RESV_MEM = 1;
export const PROPERTY_TYPE_MASK = 0xfff;
export const PROPERTY_RESERVED_MASK = 0xf000;
export const RESV_MEM_SIZE = 24;
export const RESV_MEM_SUBTYPE = 4;
export const RESV_MEM_START = 8;
export const RESV_MEM_END = 16;

// struct virtio_iommu_fault { u8 reason; u8 reserved[3]; le32 flags; le32 endpoint; le32 reserved1; le64 address; }
export const FAULT_SIZE = 24;
export const FAULT_REASON = 0;
export const FAULT_FLAGS = 4;
export const FAULT_ENDPOINT = 8;
export const FAULT_ADDRESS = 16;
export const VIRTIO_IOMMU_FAULT_R_UNKNOWN = 0;
export const VIRTIO_IOMMU_FAULT_R_MAPPING = 2;
export const VIRTIO_IOMMU_FAULT_F_READ = 1;
export const VIRTIO_IOMMU_FAULT_F_WRITE = 2;
export const VIRTIO_IOMMU_FAULT_F_ADDRESS = 0x100;
