/** The contract of looks at a ring: where the device stands in it, as plain data for whoever watches. Types and docs only. */

/** Whether one side asks the other to notify it. */
export interface NotificationWish {
  /** False when no notification is asked for at all. */
  readonly isAsked: boolean;
  /**
   * With VIRTIO_F_EVENT_IDX, where one is asked for: the index (split), or the offset in descriptors with the wrap counter
   * in bit 15 (packed), behind which the other side has to get. undefined when each buffer is to be told of.
   */
  readonly at: number | undefined;
}

interface RingStateOfAnyLayout {
  /** The driver broke it, and the device does nothing with it any more. */
  readonly broken: boolean;
  /** Slots that the device has taken and not used yet: buffers of a split ring, descriptors of a packed one. */
  readonly inFlight: number;
  /** For kicks, as the device wrote it last; undefined before it did, and after it was restored from a snapshot. */
  readonly kicks: NotificationWish | undefined;
  /** For interrupts, as the driver's wish was last read; undefined before it was. */
  readonly interrupts: NotificationWish | undefined;
}

/** Indices are free-running, modulo 2^16, as those in the ring. */
export interface SplitRingState extends RingStateOfAnyLayout {
  readonly layout: 'split';
  /** Of the next buffer that the device takes. */
  readonly nextAvail: number;
  /** The driver's, as it was last read. */
  readonly availIdx: number;
  readonly usedIdx: number;
}

/** Positions are offsets in descriptors, with the wrap counter in bit 15. */
export interface PackedRingState extends RingStateOfAnyLayout {
  readonly layout: 'packed';
  /** Of the next descriptor that the device takes. */
  readonly available: number;
  /** Where the next used descriptor goes. */
  readonly used: number;
}

export type RingState = SplitRingState | PackedRingState;
