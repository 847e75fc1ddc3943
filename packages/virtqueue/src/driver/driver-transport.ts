/** The contract DriverTransport: how a driver reaches a virtio device over any bus. Types and docs only. */
import type { AccessWidth } from '../device/virtio-device.ts';

/** Where the parts of a split virtqueue lie, as addresses that the device will use. */
export interface QueueAddresses {
  /** Number of descriptors. */
  readonly size: number;
  readonly descriptorTable: number;
  readonly availRing: number;
  readonly usedRing: number;
}

/** The registers of a virtio device as its driver sees them. Implemented by `./driver` of each transport package. */
export interface DriverTransport {
  /** Device type ("Device Types"). */
  readonly deviceId: number;
  readonly queueCount: number;

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
  /** The kick. */
  notifyQueue(index: number): void;
}
