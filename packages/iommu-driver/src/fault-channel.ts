/** FaultChannel: keeps the event queue filled with buffers, and reads the fault reports that come back. */
import { type GuestMemory, joinLe64 } from '@viommu/virtqueue';
import type { DriverQueue, DriverTransport, UsedBuffer } from '@viommu/virtqueue/driver';
import {
  EVENT_QUEUE,
  FAULT_ADDRESS,
  FAULT_ENDPOINT,
  FAULT_FLAGS,
  FAULT_REASON,
  FAULT_SIZE,
  VIRTIO_IOMMU_FAULT_F_ADDRESS,
  VIRTIO_IOMMU_FAULT_F_READ,
  VIRTIO_IOMMU_FAULT_F_WRITE,
  VIRTIO_IOMMU_FAULT_R_MAPPING,
  VIRTIO_IOMMU_FAULT_R_UNKNOWN,
} from './protocol.ts';

/** "Fault reporting". */
export interface IommuFault {
  /** VIRTIO_IOMMU_FAULT_R_*: 0 unknown, 1 no domain, 2 no mapping. */
  reason: number;
  /** VIRTIO_IOMMU_FAULT_F_*: 1 read, 2 write, 0x100 the address is valid. */
  flags: number;
  endpoint: number;
  address: number;
}

const KNOWN_FLAGS =
  VIRTIO_IOMMU_FAULT_F_READ | VIRTIO_IOMMU_FAULT_F_WRITE | VIRTIO_IOMMU_FAULT_F_ADDRESS;
/** In the four bytes of reason and reserved. */
const REASON_MASK = 0xff;

export interface FaultChannelOptions {
  readonly transport: DriverTransport;
  readonly queue: DriverQueue;
  readonly memory: GuestMemory;
  /** Address of {@link FaultChannel.memoryLength} bytes that the device can reach. */
  readonly address: number;
}

export class FaultChannel {
  readonly #options: FaultChannelOptions;
  readonly #used: UsedBuffer = { token: 0, length: 0 };
  readonly #bytes = new Uint8Array(FAULT_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);

  static memoryLength(queueSize: number): number {
    return queueSize * FAULT_SIZE;
  }

  constructor(options: FaultChannelOptions) {
    this.#options = options;
  }

  /** Gives the device all its buffers; once, after DRIVER_OK. */
  fill(): void {
    for (let index = 0; index < this.#options.queue.size; index += 1) this.#give(index);
    this.#kick();
  }

  /**
   * Takes the oldest report. A used buffer that is too short for one, or of a form that is not known, is given back to the
   * device. A reason that is not known is told as unknown.
   *
   * @returns false when there is none
   */
  take(out: IommuFault): boolean {
    const { queue, memory } = this.#options;
    while (queue.takeUsed(this.#used)) {
      const { token, length } = this.#used;
      const isReport =
        length >= FAULT_SIZE && memory.read(this.#address(token), this.#bytes, 0, FAULT_SIZE);
      this.#give(token);
      this.#kick();
      if (!isReport) continue;
      const reason = this.#view.getUint32(FAULT_REASON, true);
      // "If the reserved field is not zero, the driver MUST ignore the fault report."
      if ((reason & ~REASON_MASK) !== 0) continue;
      out.reason = reason <= VIRTIO_IOMMU_FAULT_R_MAPPING ? reason : VIRTIO_IOMMU_FAULT_R_UNKNOWN;
      out.flags = this.#view.getUint32(FAULT_FLAGS, true) & KNOWN_FLAGS;
      out.endpoint = this.#view.getUint32(FAULT_ENDPOINT, true);
      out.address = joinLe64(
        this.#view.getUint32(FAULT_ADDRESS, true),
        this.#view.getUint32(FAULT_ADDRESS + 4, true),
      );
      return true;
    }
    return false;
  }

  #address(index: number): number {
    return this.#options.address + index * FAULT_SIZE;
  }

  #give(index: number): void {
    this.#options.queue.add([], [{ address: this.#address(index), length: FAULT_SIZE }], index);
  }

  #kick(): void {
    const { queue, transport } = this.#options;
    if (queue.shouldNotify()) transport.notifyQueue(EVENT_QUEUE, queue.next);
  }
}
