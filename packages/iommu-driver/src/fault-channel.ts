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
   * Takes the oldest report. A used buffer that is too short for one is given back to the device, unread.
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
      out.reason = this.#view.getUint8(FAULT_REASON);
      out.flags = this.#view.getUint32(FAULT_FLAGS, true);
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
