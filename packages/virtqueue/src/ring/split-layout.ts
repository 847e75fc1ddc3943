/** Layout of the split virtqueue ("Split Virtqueues"): sizes in bytes, offsets and flags. All fields are little-endian. */

// struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; };
/** In the last four bytes of a descriptor, which are loaded and stored as one, with the flags below it. */
export const TAIL_NEXT_SHIFT = 16;

// struct virtq_avail { le16 flags; le16 idx; le16 ring[size]; le16 used_event; };
export const AVAIL_FLAGS = 0;
export const AVAIL_IDX = 2;
export const AVAIL_RING = 4;
export const VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

// struct virtq_used_elem { le32 id; le32 len; };
export const USED_ELEM_SIZE = 8;
// struct virtq_used { le16 flags; le16 idx; struct virtq_used_elem ring[size]; le16 avail_event; };
export const USED_FLAGS = 0;
export const USED_IDX = 2;
export const USED_RING = 4;
export const VIRTQ_USED_F_NO_NOTIFY = 1;

/** With `used_event`, whether or not it is in use. */
export function availRingSize(size: number): number {
  return AVAIL_RING + 2 * size + 2;
}

/** With `avail_event`, whether or not it is in use. */
export function usedRingSize(size: number): number {
  return USED_RING + USED_ELEM_SIZE * size + 2;
}
