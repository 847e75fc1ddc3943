/** What split and packed virtqueues have in common in memory: sizes in bytes, offsets and flags. All fields are little-endian. */

// struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; };
// struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; };
export const DESC_SIZE = 16;
export const DESC_ADDR = 0;
export const DESC_LEN = 8;
/** The two fields that the layouts have in different order. */
export const DESC_TAIL = 12;

export const VIRTQ_DESC_F_NEXT = 1;
export const VIRTQ_DESC_F_WRITE = 2;
export const VIRTQ_DESC_F_INDIRECT = 4;

/** "a driver MUST NOT create a descriptor chain longer than 2^32 bytes in total" */
export const LARGEST_CHAIN = 0x1_0000_0000;

/** Largest number of descriptors ("Virtqueue Size"). */
export const MAX_QUEUE_SIZE = 32768;

/** Of the descriptor table of a split virtqueue, and of the descriptor ring of a packed one. */
export function descriptorAreaSize(size: number): number {
  return DESC_SIZE * size;
}
