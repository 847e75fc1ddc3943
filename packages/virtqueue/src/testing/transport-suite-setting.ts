/** TransportSetting: the device, the memory and the driver of each test of transportSuite. */
import type { VirtioDevice } from '../device/virtio-device.ts';
import { createDriverQueue } from '../driver/create-driver-queue.ts';
import type { DriverQueue } from '../driver/driver-queue.ts';
import type { DriverTransport } from '../driver/driver-transport.ts';
import { initializeDevice } from '../driver/initialize-device.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { MappedMemory } from '../memory/guest-memory.ts';
import { FEATURES, TransportSuiteDevice } from './transport-suite-device.ts';

/** A device behind the transport, plugged into `memory`, with interrupts delivered. */
export interface TransportSubject {
  readonly transport: DriverTransport;
  /** Lets the device work. @returns whether work is left */
  readonly service: () => boolean;
  /** How often the driver was interrupted since the last call, whatever for. */
  readonly takeInterrupts: () => number;
}

export type TransportFactory = (device: VirtioDevice, memory: MappedMemory) => TransportSubject;

/** Where the queues are, by index: in 4 KiB of memory each. */
export const ADDRESSES = [0x1000, 0x8_0000_2000];

export class TransportSetting {
  readonly device = new TransportSuiteDevice();
  readonly memory: MappedMemory;
  readonly subject: TransportSubject;
  readonly #offset: number;

  /** @param offset of the queues from {@link ADDRESSES} */
  constructor(
    factory: TransportFactory,
    memory: MappedMemory = new ArrayGuestMemory(
      ADDRESSES.map((base) => ({ base, buffer: new ArrayBuffer(0x1000) })),
    ),
    offset = 0,
  ) {
    this.memory = memory;
    this.subject = factory(this.device, memory);
    this.#offset = offset;
  }

  /** Makes a queue and tells the device. */
  enable(index: number, size: number, address: number, features: bigint): DriverQueue {
    const queue = createDriverQueue({ features, size, memory: this.memory, address });
    this.subject.transport.enableQueue(index, queue.addresses);
    return queue;
  }

  /** Makes a queue at each address. */
  enableAll(features: bigint): DriverQueue[] {
    return ADDRESSES.map((address, index) =>
      this.enable(index, 8, address + this.#offset, features),
    );
  }

  /** Brings the device up with a queue at each address. */
  bringUp(features = FEATURES): { agreed: bigint; queues: DriverQueue[] } {
    let queues: DriverQueue[] = [];
    const agreed = initializeDevice(this.subject.transport, {
      features,
      setUpQueues: (both) => {
        queues = this.enableAll(both);
      },
    });
    this.subject.takeInterrupts();
    return { agreed, queues };
  }
}
