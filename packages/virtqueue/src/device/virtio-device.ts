/** The contract VirtioDevice: what every transport drives and every device model implements. Types and docs only. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Virtqueue } from '../ring/virtqueue.ts';
import type { RestoredDriver } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';

/** Width of a register or configuration access in bytes. */
export type AccessWidth = 1 | 2 | 4;

/** The one upward call: a device tells its driver that something happened. Implemented by transports. */
export interface InterruptSink {
  /** Buffers of this queue were used and the driver asked to hear of it. */
  usedBuffer(queueIndex: number): void;
  /** The configuration changed, or the device needs a reset. */
  configChange(): void;
}

/** What a device may use from DRIVER_OK until reset. */
export interface DeviceContext {
  /** The device's view of guest memory; behind an IOMMU this one translates. */
  readonly memory: GuestMemory;
  /** By queue index; undefined while the driver has not enabled the queue. Look here each time: a queue can be reset alone. */
  readonly queues: readonly (Virtqueue | undefined)[];
  /** The features that driver and device agreed on. */
  readonly driverFeatures: bigint;
  readonly interrupts: InterruptSink;
  /**
   * Has `notifyQueue` called for a queue that the driver did not kick: for work that comes from elsewhere, such as a frame
   * from the network. It is noted, as a kick is, and done when the transport lets the device work the next time.
   */
  requestService(queueIndex: number): void;
  /**
   * Sets DEVICE_NEEDS_RESET and tells the driver by an interrupt for the configuration. Queues that are in order go on being
   * worked through until the driver resets the device.
   *
   * @param reason for the log
   */
  needsReset(reason: string): void;
}

/**
 * A device model. Its transport's `DeviceSession` calls it and keeps the order `activate`, then any of `notifyQueue`,
 * `queueReset`, `readConfig`, `writeConfig`, then `reset`. The configuration can be read and written before `activate`, too.
 *
 * Where memory is reached by messages, the driver goes on while the device waits for memory: `readConfig` and `writeConfig`
 * can then come from within `notifyQueue`, and a queue can break or be gone after any access. `queueReset` and `reset`
 * never come from within another call.
 */
export interface VirtioDevice {
  /** Device type ("Device Types"): 1 network, 2 block, 4 entropy, 23 IOMMU. */
  readonly deviceId: number;
  /** Largest size of each queue: a power of two up to 32768. Its length is the number of queues. */
  readonly queueMaxSizes: readonly number[];
  /** Device-specific features and VIRTIO_F_ACCESS_PLATFORM; ring and transport features are added by the session. */
  readonly deviceFeatures: bigint;
  /** Size of the device-specific configuration in bytes. */
  readonly configSize: number;
  /**
   * Counts the changes of the configuration that are not told by `InterruptSink.configChange`: those while no driver is up, and
   * those that the driver made. For a device that has such; it never goes back.
   */
  readonly silentConfigChanges?: number;

  /** The access lies within `configSize`; the value is little-endian, unsigned. */
  readConfig(offset: number, width: AccessWidth): number;
  /** The access lies within `configSize`; a field that the driver may not write is left alone. */
  writeConfig(offset: number, width: AccessWidth, value: number): void;

  /**
   * Feature negotiation hook: lets a device with dependent features refuse the driver's choice.
   *
   * @returns false to keep FEATURES_OK from being set ("Device Initialization")
   */
  acceptFeatures?(driverFeatures: bigint): boolean;

  /** The driver set DRIVER_OK. */
  activate(context: DeviceContext): void;

  /**
   * Work through a queue that was kicked, or for which the device has requested service. Bounded: after about one ring's worth of buffers a device stops and says so,
   * that others in the same thread get their turn.
   *
   * @returns true when buffers are left, and the session shall call again
   */
  notifyQueue(index: number): boolean;

  /** One queue was reset (VIRTIO_F_RING_RESET) or disabled (virtio over MMIO): buffers that the device kept from it are the driver's again. */
  queueReset?(index: number): void;

  /**
   * The buffers of a queue that the device has taken and not given back when it is at rest, by what `pop` left in `head`, in the order
   * in which it took them. A device that keeps none leaves this out.
   */
  keptBuffers?(index: number): readonly number[];

  /**
   * What the device keeps beside registers and rings, as plain data that begins with a version. A device that keeps nothing
   * leaves this and `prepareRestore` out.
   */
  snapshot?(): object;

  /**
   * Checks what `snapshot` of a device with the same options once gave, and changes nothing.
   *
   * @returns what brings it back, called after a reset, and after `activate` when the driver is up; it throws VirtioError
   * `SNAPSHOT_REFUSED` when something below the device does not take it
   * @throws VirtioError `SNAPSHOT` when it is damaged
   */
  prepareRestore?(snapshot: SnapshotReader, driver: RestoredDriver): () => void;

  /** Back to the state before `activate`; the context must not be used again. Also called when never activated. */
  reset(): void;
}
