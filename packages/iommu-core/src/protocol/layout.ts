/** Byte offsets and sizes of the structures on the wire; all fields are little-endian. */

// struct virtio_iommu_config { le64 page_size_mask; struct { le64 start, end; } input_range;
//   struct { le32 start, end; } domain_range; le32 probe_size; u8 bypass; u8 reserved[3]; }
export const CONFIG_PAGE_SIZE_MASK = 0;
export const CONFIG_INPUT_RANGE_START = 8;
export const CONFIG_INPUT_RANGE_END = 16;
export const CONFIG_DOMAIN_RANGE_START = 24;
export const CONFIG_DOMAIN_RANGE_END = 28;
export const CONFIG_PROBE_SIZE = 32;
export const CONFIG_BYPASS = 36;
export const CONFIG_SIZE = 40;

// struct virtio_iommu_req_head { u8 type; u8 reserved[3]; }
export const REQ_HEAD_TYPE = 0;

// struct virtio_iommu_req_tail { u8 status; u8 reserved[3]; }
export const REQ_TAIL_SIZE = 4;

// Each _READABLE is the size of the device-readable part: all that stands before the tail, or before `properties`.

// struct virtio_iommu_req_attach { head; le32 domain; le32 endpoint; le32 flags; u8 reserved[4]; tail; }
export const REQ_ATTACH_DOMAIN = 4;
export const REQ_ATTACH_ENDPOINT = 8;
export const REQ_ATTACH_FLAGS = 12;
export const REQ_ATTACH_RESERVED = 16;
export const REQ_ATTACH_READABLE = 20;

// struct virtio_iommu_req_detach { head; le32 domain; le32 endpoint; u8 reserved[8]; tail; }
export const REQ_DETACH_DOMAIN = 4;
export const REQ_DETACH_ENDPOINT = 8;
export const REQ_DETACH_READABLE = 20;

// struct virtio_iommu_req_map { head; le32 domain; le64 virt_start, virt_end, phys_start; le32 flags; tail; }
export const REQ_MAP_DOMAIN = 4;
export const REQ_MAP_VIRT_START = 8;
export const REQ_MAP_VIRT_END = 16;
export const REQ_MAP_PHYS_START = 24;
export const REQ_MAP_FLAGS = 32;
export const REQ_MAP_READABLE = 36;

// struct virtio_iommu_req_unmap { head; le32 domain; le64 virt_start, virt_end; u8 reserved[4]; tail; }
export const REQ_UNMAP_DOMAIN = 4;
export const REQ_UNMAP_VIRT_START = 8;
export const REQ_UNMAP_VIRT_END = 16;
export const REQ_UNMAP_READABLE = 28;

// struct virtio_iommu_req_probe { head; le32 endpoint; u8 reserved[64]; u8 properties[probe_size]; tail; }
export const REQ_PROBE_ENDPOINT = 4;
export const REQ_PROBE_READABLE = 72;

// struct virtio_iommu_probe_resv_mem { struct { le16 type; le16 length; } head; u8 subtype; u8 reserved[3];
//   le64 start, end; }
export const RESV_MEM_TYPE = 0;
export const RESV_MEM_LENGTH = 2;
export const RESV_MEM_SUBTYPE = 4;
export const RESV_MEM_START = 8;
export const RESV_MEM_END = 16;
export const RESV_MEM_SIZE = 24;
/** `length` counts what follows the four bytes of the property head. */
export const RESV_MEM_LENGTH_VALUE = 20;

// struct virtio_iommu_fault { u8 reason; u8 reserved[3]; le32 flags; le32 endpoint; le32 reserved1; le64 address; }
export const FAULT_REASON = 0;
export const FAULT_FLAGS = 4;
export const FAULT_ENDPOINT = 8;
export const FAULT_ADDRESS = 16;
export const FAULT_SIZE = 24;
