/** Layout of the packed virtqueue ("Packed Virtqueues"): sizes in bytes, offsets and flags. All fields are little-endian. */
import type { NotificationWish } from './ring-state.ts';

// struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; };
/** In the last four bytes of a descriptor, which are loaded and stored as one. */
export const TAIL_ID_MASK = 0xffff;
export const TAIL_FLAGS_SHIFT = 16;

const VIRTQ_DESC_F_AVAIL = 1 << 7;
const VIRTQ_DESC_F_USED = 1 << 15;
export const AVAIL_AND_USED = VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED;

// struct pvirtq_event_suppress { le16 { desc_event_off : 15; desc_event_wrap : 1; } desc; le16 { desc_event_flags : 2; } flags; };
export const EVENT_SIZE = 4;
export const RING_EVENT_FLAGS_ENABLE = 0;
export const RING_EVENT_FLAGS_DISABLE = 1;
/** "Only valid if VIRTIO_F_EVENT_IDX has been negotiated." */
export const RING_EVENT_FLAGS_DESC = 2;

const EVENT_FLAGS_SHIFT = 16;
const EVENT_FLAGS_MASK = 3;
const WRAP_SHIFT = 15;
const OFFSET_MASK = 0x7fff;

/**
 * One side's place in the descriptor ring, with its wrap counter: "Each of the driver and the device are expected to
 * maintain, internally, a single-bit ring wrap counter initialized to 1."
 */
export class PackedPosition {
  /** In descriptors, from 0 to the size of the queue - 1. */
  offset = 0;
  /** 1 or 0. */
  wrap = 1;
  /** AVAIL and USED in a descriptor that is available here: they differ. */
  availableFlags = VIRTQ_DESC_F_AVAIL;
  /** AVAIL and USED in a descriptor that is used here: they are the same. */
  usedFlags = AVAIL_AND_USED;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** @param count of descriptors, at most the size of the queue */
  advance(count: number): void {
    this.offset += count;
    if (this.offset < this.#size) return;
    this.offset -= this.#size;
    this.wrap ^= 1;
    this.availableFlags ^= AVAIL_AND_USED;
    this.usedFlags ^= AVAIL_AND_USED;
  }

  /** @param offsetAndWrap as below @returns false when there is no such position */
  moveTo(offsetAndWrap: number): boolean {
    this.offset = offsetAndWrap & OFFSET_MASK;
    if (this.wrap !== offsetAndWrap >>> WRAP_SHIFT) {
      this.wrap ^= 1;
      this.availableFlags ^= AVAIL_AND_USED;
      this.usedFlags ^= AVAIL_AND_USED;
    }
    return this.offset < this.#size;
  }

  /** How many descriptors another position is behind, if it is at most a lap; negative or too many when it is not. */
  distanceFrom(behind: PackedPosition): number {
    return this.offset - behind.offset + (this.wrap === behind.wrap ? 0 : this.#size);
  }

  /** The offset in bits 0 to 14, the wrap counter in bit 15, as in `desc` of an event suppression structure. */
  get offsetAndWrap(): number {
    return this.offset | (this.wrap << WRAP_SHIFT);
  }
}

/**
 * An event suppression structure as one value, since its fields belong together.
 *
 * @param flags RING_EVENT_FLAGS_*
 */
export function eventSuppression(flags: number, offsetAndWrap = 0): number {
  return (flags << EVENT_FLAGS_SHIFT) | offsetAndWrap;
}

/**
 * Whether the other side asks for a notification ("Driver and Device Event Suppression"). What no standard driver or device
 * writes counts as RING_EVENT_FLAGS_ENABLE: a notification too many harms nobody.
 *
 * @param event the other side's structure
 * @param position where this side's next descriptor goes
 * @param count of descriptors that this side passed since it last asked
 */
export function isEventWanted(
  event: number,
  position: PackedPosition,
  size: number,
  count: number,
  eventIdx: boolean,
): boolean {
  const flags = (event >>> EVENT_FLAGS_SHIFT) & EVENT_FLAGS_MASK;
  if (flags === RING_EVENT_FLAGS_DISABLE) return false;
  if (flags !== RING_EVENT_FLAGS_DESC || !eventIdx) return true;
  const wrap = (event >>> WRAP_SHIFT) & 1;
  const lap = wrap === position.wrap ? 0 : size;
  // How far behind us the descriptor of the event is; what is not behind us, or further than a lap, is still ahead.
  const distance = position.offset + lap - (event & OFFSET_MASK);
  return distance > 0 && distance <= Math.min(count, size);
}

/** Nothing that a standard driver or device writes: bits 18 to 31 are reserved. */
export const UNKNOWN_EVENT = -1;

/** What an event suppression structure asks for, in the words of those who look; see {@link isEventWanted}. */
export function wishOfEvent(event: number): NotificationWish | undefined {
  if (event === UNKNOWN_EVENT) return undefined;
  const flags = (event >>> EVENT_FLAGS_SHIFT) & EVENT_FLAGS_MASK;
  const at = flags === RING_EVENT_FLAGS_DESC ? event & 0xffff : undefined;
  return { isAsked: flags !== RING_EVENT_FLAGS_DISABLE, at };
}
