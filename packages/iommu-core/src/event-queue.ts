/** The event queue: reports faults to the driver, in buffers that it gave beforehand ("Fault reporting"). */
import {
  ACCESS_READ,
  ACCESS_WRITE,
  createDescriptorChain,
  writeChain,
  writeLe64,
} from '@viommu/virtqueue';
import type { DeviceContext } from '@viommu/virtqueue/device';
import {
  VIRTIO_IOMMU_EVENT_QUEUE,
  VIRTIO_IOMMU_FAULT_F_ADDRESS,
  VIRTIO_IOMMU_FAULT_F_READ,
  VIRTIO_IOMMU_FAULT_F_WRITE,
} from './protocol/constants.ts';
import {
  FAULT_ADDRESS,
  FAULT_ENDPOINT,
  FAULT_FLAGS,
  FAULT_REASON,
  FAULT_SIZE,
} from './protocol/layout.ts';

/** Largest size of the event queue; a driver may choose a smaller one. */
export const EVENT_QUEUE_SIZE = 64;

export class EventQueue {
  #context: DeviceContext | undefined;
  readonly #chain = createDescriptorChain(EVENT_QUEUE_SIZE);
  readonly #report = new Uint8Array(FAULT_SIZE);
  readonly #view = new DataView(this.#report.buffer);

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  reset(): void {
    this.#context = undefined;
  }

  /**
   * Looks for a buffer only now: Linux fills the queue without a kick. Without one the event is dropped: "If no buffer
   * is available, the device can either wait for one to be consumed, or drop the event."
   *
   * @param reason VIRTIO_IOMMU_FAULT_R_*
   * @param access ACCESS_READ, ACCESS_WRITE or both
   * @returns whether the driver was told
   */
  report(endpoint: number, reason: number, access: number, address: number): boolean {
    const context = this.#context;
    const queue = context?.queues[VIRTIO_IOMMU_EVENT_QUEUE];
    if (context === undefined || queue === undefined || !queue.pop(this.#chain)) {
      return false;
    }
    // Where memory is reached by messages, a reset can come while the ring is read.
    if (this.#context !== context) {
      return false;
    }
    this.#encode(endpoint, reason, access, address);
    const written = this.#write(context);
    queue.pushUsed(this.#chain.head, written);
    if (queue.shouldInterrupt()) {
      context.interrupts.usedBuffer(VIRTIO_IOMMU_EVENT_QUEUE);
    }
    return written === FAULT_SIZE;
  }

  /** "If a buffer is too small to contain the fault report, the device SHOULD NOT use multiple buffers": it goes back. */
  #write(context: DeviceContext): number {
    if (this.#chain.writableLength < FAULT_SIZE) {
      return 0;
    }
    const written = writeChain(context.memory, this.#chain, 0, this.#report, 0, FAULT_SIZE);
    return written === FAULT_SIZE ? FAULT_SIZE : 0;
  }

  #encode(endpoint: number, reason: number, access: number, address: number): void {
    let flags = VIRTIO_IOMMU_FAULT_F_ADDRESS;
    if ((access & ACCESS_READ) !== 0) {
      flags |= VIRTIO_IOMMU_FAULT_F_READ;
    }
    if ((access & ACCESS_WRITE) !== 0) {
      flags |= VIRTIO_IOMMU_FAULT_F_WRITE;
    }
    this.#view.setUint8(FAULT_REASON, reason);
    this.#view.setUint32(FAULT_FLAGS, flags, true);
    this.#view.setUint32(FAULT_ENDPOINT, endpoint, true);
    writeLe64(this.#view, FAULT_ADDRESS, address);
  }
}
