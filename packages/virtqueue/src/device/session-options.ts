/** DeviceSessionOptions: what a transport makes a session from. Types and docs only. */
import type { Logger } from '../logger.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { QueueGate } from './queue-gate.ts';
import type { QueueObserver } from './queue-observer.ts';
import type { InterruptSink, VirtioDevice } from './virtio-device.ts';

export interface DeviceSessionOptions {
  readonly device: VirtioDevice;
  /** The transport's way to the driver. */
  readonly interrupts: InterruptSink;
  /** The device's view of memory; can be set later. */
  readonly memory?: GuestMemory;
  readonly logger?: Logger;
  /** Features that the transport itself implements, as a mask. */
  readonly transportFeatures?: bigint;
  /**
   * Offers VIRTIO_F_RING_PACKED; false by default. A driver that knows packed virtqueues then makes all queues such: Linux
   * does whenever it is offered.
   */
  readonly packed?: boolean;
  /** Sees the queues, and what becomes of their buffers. */
  readonly queueObserver?: QueueObserver;
  /** Decides when the device may take the next buffer of a queue. */
  readonly queueGate?: QueueGate;
}
