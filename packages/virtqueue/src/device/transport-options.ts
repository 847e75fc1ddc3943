/** VirtioTransportOptions: what a device is put on a bus with, whatever the bus. Types and docs only. */
import type { Logger } from '../logger.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { QueueGate } from './queue-gate.ts';
import type { QueueObserver } from './queue-observer.ts';
import type { VirtioDevice } from './virtio-device.ts';

export interface VirtioTransportOptions {
  readonly device: VirtioDevice;
  /**
   * The memory that the device is to see, made from the host's whenever the device is plugged in: the DMA view of its
   * endpoint when it is behind an IOMMU. The host's own memory by default.
   */
  readonly memory?: (host: GuestMemory) => GuestMemory;
  readonly logger?: Logger;
  /**
   * Offers VIRTIO_F_RING_PACKED; false by default. A driver that knows packed virtqueues then makes all queues such: Linux
   * does, whenever it may.
   */
  readonly packed?: boolean;
  /**
   * All that the device is on the bus was reset, after the device was: by the host, when plugged in and when unplugged, but
   * not by the driver's write of 0 to the device status. The place for what only a reset of the system changes.
   */
  readonly onReset?: () => void;
  /** The host has unplugged the device: the place to take its endpoint away from the IOMMU, when it had one. */
  readonly onDisconnect?: () => void;
  /** Sees the queues, and what becomes of their buffers. */
  readonly queueObserver?: QueueObserver;
  /** Decides when the device may take the next buffer of a queue. */
  readonly queueGate?: QueueGate;
}
