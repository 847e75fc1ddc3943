/** The contract of snapshots: the state of a device, its rings and its transport as plain data. Types and docs only. */

/**
 * All of it is what JSON has: objects, lists, texts, whole numbers, booleans and null. Bytes and masks are texts of
 * hexadecimal digits. Each part that a package owns begins with the `version` of its form; a later release reads all
 * earlier ones. What the host program chose (options, backends, memory, counters) is not in it: a snapshot is restored into
 * an object that was made with the same options.
 */
export interface SessionSnapshot {
  readonly version: 1;
  /** "Device Types". */
  readonly deviceId: number;
  /** The device status field. */
  readonly status: number;
  /** The mask that the driver wrote. */
  readonly driverFeatures: string;
  readonly configGeneration: number;
  readonly queues: readonly QueueSnapshot[];
  /** What the device keeps beside registers and rings, in a form of its own; null when it keeps nothing. */
  readonly device: object | null;
}

export interface QueueSnapshot {
  readonly size: number;
  readonly enabled: boolean;
  /** Low and high word of descriptor area, driver area and device area, as the driver wrote them. */
  readonly addresses: readonly number[];
  /** It was kicked, or its device asked to be called, and the device was not called yet. */
  readonly kicked: boolean;
  /** null while the device cannot use the queue. */
  readonly ring: SplitRingSnapshot | PackedRingSnapshot | null;
}

/** Indices are free-running, modulo 2^16, as those in the ring. */
export interface SplitRingSnapshot {
  /** The driver broke it. */
  readonly broken: boolean;
  /** Index of the next available buffer. */
  readonly nextAvail: number;
  readonly usedIdx: number;
  /** `usedIdx` when the driver's wish for interrupts was last looked at: what was used since has not interrupted it. */
  readonly signalledUsedIdx: number;
}

export interface PackedRingSnapshot {
  readonly broken: boolean;
  /** Offset in descriptors, with the wrap counter in bit 15, of the next available descriptor. */
  readonly available: number;
  /** The same of the next used one. */
  readonly used: number;
  /** Pairs of buffer ID and number of descriptors: the buffers that the device has. */
  readonly buffers: readonly number[];
  /** Descriptors that were used since the driver's wish for interrupts was last looked at. */
  readonly unsignalled: number;
}

/** What a device is told of its driver when it is to be restored. */
export interface RestoredDriver {
  /** DRIVER_OK is set: the device is activated before its own state comes back. */
  readonly isUp: boolean;
  /** As far as the driver has written them. */
  readonly features: bigint;
}
