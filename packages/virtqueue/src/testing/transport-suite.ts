/** transportSuite: what a transport must do, told by its driver half and a device; each transport runs it in its own tests. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessWidth, DeviceContext, VirtioDevice } from '../device/virtio-device.ts';
import type { DriverTransport } from '../driver/driver-transport.ts';
import { initializeDevice } from '../driver/initialize-device.ts';
import { SplitDriverQueue, splitQueueLayout } from '../driver/split-driver-queue.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { MappedMemory } from '../memory/guest-memory.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import type { DescriptorChain } from '../ring/virtqueue.ts';

/** A device behind the transport, plugged into `memory`, with interrupts delivered. */
export interface TransportSubject {
  readonly transport: DriverTransport;
  /** Lets the device work. @returns whether work is left */
  readonly service: () => boolean;
  /** How often the driver was interrupted since the last call, whatever for. */
  readonly takeInterrupts: () => number;
}

const VERSION_1 = 1n << 32n;
const FEATURES = (1n << 33n) | (1n << 19n) | 9n;
const ADDRESSES = [0x1000, 0x8_0000_2000];

/** Two queues; each buffer's used length is what the driver offered to be read. */
class SuiteDevice implements VirtioDevice {
  readonly deviceId = 23;
  readonly queueMaxSizes = [16, 64];
  readonly deviceFeatures = FEATURES;
  readonly configSize = 12;
  readonly config = Uint8Array.from({ length: 12 }, (_, index) => 0x80 + index);
  context: DeviceContext | undefined;
  acceptable = true;
  readonly #chain = createDescriptorChain(64);

  readConfig(offset: number, width: AccessWidth): number {
    return this.config
      .subarray(offset, offset + width)
      .reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    for (let index = 0; index < width; index += 1)
      this.config[offset + index] = value >>> (8 * index);
  }

  acceptFeatures(): boolean {
    return this.acceptable;
  }

  activate(context: DeviceContext): void {
    this.context = context;
  }

  notifyQueue(index: number): boolean {
    const queue = this.context?.queues[index];
    if (queue === undefined) return false;
    const handler = { handleChain: (chain: DescriptorChain) => chain.readableLength };
    return drainQueue(queue, this.#chain, handler, this.context!.interrupts);
  }

  reset(): void {
    this.context = undefined;
  }
}

export function transportSuite(
  name: string,
  factory: (device: VirtioDevice, memory: MappedMemory) => TransportSubject,
): void {
  describe(`transport: ${name}`, () => {
    let device: SuiteDevice;
    let memory: MappedMemory;
    let subject: TransportSubject;
    let transport: DriverTransport;

    beforeEach(() => {
      device = new SuiteDevice();
      memory = new ArrayGuestMemory(
        ADDRESSES.map((base) => ({ base, buffer: new ArrayBuffer(0x1000) })),
      );
      subject = factory(device, memory);
      ({ transport } = subject);
    });

    /** Brings the device up with a queue at each address. */
    const bringUp = (features = FEATURES) => {
      const queues: SplitDriverQueue[] = [];
      const agreed = initializeDevice(transport, {
        features,
        setUpQueues: () => {
          for (const [index, address] of ADDRESSES.entries()) {
            const layout = splitQueueLayout(8);
            queues.push(new SplitDriverQueue({ size: 8, memory, address, eventIdx: false }));
            transport.enableQueue(index, {
              size: 8,
              descriptorArea: address + layout.descriptorArea,
              driverArea: address + layout.driverArea,
              deviceArea: address + layout.deviceArea,
            });
          }
        },
      });
      subject.takeInterrupts();
      return { agreed, queues };
    };

    it('names the device and its queues', () => {
      expect([transport.deviceId, transport.queueCount]).toEqual([23, 2]);
      expect([12, undefined]).toContain(transport.configSize);
      expect([0, 1, 2].map((index) => transport.queueMaxSize(index))).toEqual([16, 64, 0]);
    });

    it('carries features of 64 bits both ways', () => {
      expect(transport.readDeviceFeatures() & (FEATURES | VERSION_1)).toBe(FEATURES | VERSION_1);
      const wanted = (1n << 33n) | (1n << 19n);
      expect(bringUp(wanted).agreed).toBe(wanted | VERSION_1);
      expect(device.context?.driverFeatures).toBe(wanted | VERSION_1);
      expect(transport.readStatus()).toBe(0xf);
    });

    it('tells the driver that its choice is refused', () => {
      device.acceptable = false;
      expect(() => bringUp()).toThrow(expect.objectContaining({ code: 'FEATURES_REFUSED' }));
      expect(transport.readStatus() & 0x80).toBe(0x80);
      expect(device.context).toBeUndefined();
    });

    it('reads and writes the configuration by any width', () => {
      expect([0, 3, 11].map((offset) => transport.readConfig(offset, 1))).toEqual([
        0x80, 0x83, 0x8b,
      ]);
      expect([0, 10].map((offset) => transport.readConfig(offset, 2))).toEqual([0x8180, 0x8b8a]);
      expect([4, 8].map((offset) => transport.readConfig(offset, 4))).toEqual([
        0x8786_8584, 0x8b8a_8988,
      ]);
      transport.writeConfig(4, 4, 0x4433_2211);
      transport.writeConfig(2, 2, 0xaabb);
      transport.writeConfig(11, 1, 0xff);
      expect([...device.config]).toEqual([
        ...[0x80, 0x81, 0xbb, 0xaa, 0x11, 0x22, 0x33, 0x44, 0x88, 0x89, 0x8a, 0xff],
      ]);
    });

    it('changes the generation with the configuration, and interrupts', () => {
      bringUp();
      const generation = transport.readConfigGeneration();
      expect(transport.readConfigGeneration()).toBe(generation);
      device.context!.interrupts.configChange();
      expect(transport.readConfigGeneration()).not.toBe(generation);
      expect(subject.takeInterrupts()).toBe(1);
    });

    it('carries buffers and interrupts of each queue, at addresses of any size', () => {
      const { queues } = bringUp();
      const used = { token: -1, length: -1 };
      for (const [index, queue] of queues.entries()) {
        queue.enableInterrupts(true);
        queue.add([{ address: 0, length: 100 + index }], [], 7);
        expect(subject.service()).toBe(false);
        expect(queue.takeUsed(used)).toBe(false);
        transport.notifyQueue(index);
        expect(queue.takeUsed(used)).toBe(false);
        subject.service();
        expect(queue.takeUsed(used)).toBe(true);
        expect(used).toEqual({ token: 7, length: 100 + index });
        expect(subject.takeInterrupts()).toBe(1);
        queue.enableInterrupts(false);
        queue.add([{ address: 0, length: 1 }], [], 8);
        transport.notifyQueue(index);
        subject.service();
        expect(queue.takeUsed(used)).toBe(true);
        expect(subject.takeInterrupts()).toBe(0);
      }
    });

    it('resets, and comes up again', () => {
      bringUp();
      transport.writeStatus(0);
      expect([transport.readStatus(), device.context]).toEqual([0, undefined]);
      const [queue] = bringUp().queues;
      queue!.add([{ address: 0, length: 3 }], [], 1);
      transport.notifyQueue(0);
      subject.service();
      expect(queue!.takeUsed({ token: 0, length: 0 })).toBe(true);
    });

    it('says that a broken queue needs a reset, and goes on with the other', () => {
      const { queues } = bringUp();
      const { driverArea } = splitQueueLayout(8);
      memory.write(ADDRESSES[1]! + driverArea + 2, Uint8Array.of(0x99, 0), 0, 2);
      transport.notifyQueue(1);
      subject.service();
      expect(transport.readStatus()).toBe(0x4f);
      expect(subject.takeInterrupts()).toBe(1);
      for (const [index, queue] of queues.entries()) {
        queue.add([{ address: 0, length: 3 }], [], 1);
        transport.notifyQueue(index);
        subject.service();
        expect(queue.takeUsed({ token: 0, length: 0 })).toBe(index === 0);
      }
    });
  });
}
