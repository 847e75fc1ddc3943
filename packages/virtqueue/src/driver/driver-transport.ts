/** The contract DriverTransport: how a driver reaches a virtio device over any bus. Types and docs only. */
import type { AccessWidth } from '../device/virtio-device.ts';

/** Where the areas of a virtqueue lie ("Virtqueues"), as addresses that the device will use. */
export interface QueueAddresses {
  /** Number of descriptors. */
  readonly size: number;
  /** The descriptor table of a split virtqueue, the descriptor ring of a packed one. */
  readonly descriptorArea: number;
  /** The available ring, or the driver event suppression structure. */
  readonly driverArea: number;
  /** The used ring, or the device event suppression structure. */
  readonly deviceArea: number;
}

/** The registers of a virtio device as its driver sees them. Implemented by `./driver` of each transport package. */
export interface DriverTransport {
  /** Device type ("Device Types"). */
  readonly deviceId: number;
  readonly queueCount: number;
  /** Bytes of the device-specific configuration; left out where the bus does not say. */
  readonly configSize?: number;
  /** Features that this half of the transport implements by itself, as a mask; a driver accepts them when they are offered. */
  readonly transportFeatures?: bigint;

  readStatus(): number;
  /** Writing 0 resets the device. */
  writeStatus(status: number): void;
  readDeviceFeatures(): bigint;
  writeDriverFeatures(features: bigint): void;

  /** Changes with each change of a field wider than one access; read before and after. */
  readConfigGeneration(): number;
  readConfig(offset: number, width: AccessWidth): number;
  writeConfig(offset: number, width: AccessWidth, value: number): void;

  /** Largest size of a queue, 0 when the device has no such queue. */
  queueMaxSize(index: number): number;
  /** Tells the device where the queue is, and enables it. */
  enableQueue(index: number, addresses: QueueAddresses): void;
  /**
   * VIRTIO_F_RING_RESET: the queue goes back to its initial state, and can be enabled again ("Virtqueue Reset").
   *
   * @throws VirtioError `RESET_TIMEOUT` when the device does not come to an end with it
   */
  resetQueue(index: number): void;
  /**
   * The kick ("Available Buffer Notifications").
   *
   * @param next with VIRTIO_F_NOTIFICATION_DATA: next_off in bits 0 to 14 and next_wrap in bit 15, or the available index
   * of a split virtqueue; not to be given without that feature. It is `next` of the `DriverQueue`.
   */
  notifyQueue(index: number, next?: number): void;
}
