/** transportSuite: what a transport must do, told by its driver half and a device; each transport runs it in its own tests. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { DriverQueue } from '../driver/driver-queue.ts';
import type { DriverTransport } from '../driver/driver-transport.ts';
import type { MappedMemory } from '../memory/guest-memory.ts';
import { transportMisuseSuite } from './transport-misuse-suite.ts';
import { FEATURES, TO_KEEP, type TransportSuiteDevice } from './transport-suite-device.ts';
import {
  ADDRESSES,
  type TransportFactory,
  TransportSetting,
  type TransportSubject,
} from './transport-suite-setting.ts';

const VERSION_1 = 1n << 32n;
const RING_PACKED = 1n << 34n;
const NOTIFICATION_DATA = 1n << 38n;
const RING_RESET = 1n << 40n;

export function transportSuite(name: string, factory: TransportFactory): void {
  transportMisuseSuite(name, factory);

  describe(`transport: ${name}`, () => {
    let setting: TransportSetting;
    let device: TransportSuiteDevice;
    let memory: MappedMemory;
    let subject: TransportSubject;
    let transport: DriverTransport;

    beforeEach(() => {
      setting = new TransportSetting(factory);
      ({ device, memory, subject } = setting);
      ({ transport } = subject);
    });
    const bringUp = (features?: bigint) => setting.bringUp(features);

    it('names the device and its queues', () => {
      expect([transport.deviceId, transport.queueCount]).toEqual([23, 2]);
      expect([12, undefined]).toContain(transport.configSize);
      expect([0, 1, 2].map((index) => transport.queueMaxSize(index))).toEqual([16, 64, 0]);
    });

    it('carries features of 64 bits both ways', () => {
      const offered = transport.readDeviceFeatures();
      expect(offered & (FEATURES | VERSION_1)).toBe(FEATURES | VERSION_1);
      const wanted = (1n << 33n) | (1n << 19n);
      const ofTransport = offered & (transport.transportFeatures ?? 0n);
      expect(bringUp(wanted).agreed).toBe(wanted | VERSION_1 | ofTransport);
      expect(device.context?.driverFeatures).toBe(wanted | VERSION_1 | ofTransport);
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

    it('takes kicks for nothing, and more than one for a buffer', () => {
      const { queues } = bringUp();
      const [queue] = queues as [DriverQueue];
      queue.enableInterrupts(true);
      const kick = (times: number) => {
        for (let time = 0; time < times; time += 1) transport.notifyQueue(0);
        return subject.service();
      };
      expect([kick(1), kick(3), device.handled, subject.takeInterrupts()]).toEqual([
        ...[false, false, 0, 0],
      ]);
      queue.add([{ address: 0, length: 3 }], [], 1);
      expect([kick(3), kick(1), device.handled, subject.takeInterrupts()]).toEqual([
        ...[false, false, 1, 1],
      ]);
      expect(transport.readStatus()).toBe(0xf);
    });

    it('says that a broken queue needs a reset, and goes on with the other', () => {
      const { queues } = bringUp();
      const { driverArea } = queues[1]!.addresses;
      memory.write(driverArea + 2, Uint8Array.of(0x99, 0), 0, 2);
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
      bringUp();
      expect([transport.readStatus(), subject.takeInterrupts()]).toEqual([0xf, 0]);
    });

    it('keeps the registers, queues and interrupts of two devices of a host apart', () => {
      const other = new TransportSetting(factory, memory, 0x800);
      const used = { token: -1, length: -1 };
      const both = [setting, other].map((each) => ({ ...each, ...each.bringUp() }));
      for (const [at, { subject, queues }] of both.entries()) {
        queues[1]!.enableInterrupts(true);
        queues[1]!.add([{ address: 0, length: 40 + at }], [], at);
        subject.transport.notifyQueue(1);
      }
      for (const [at, { device, subject, queues }] of both.entries()) {
        expect([device.handled, subject.takeInterrupts()]).toEqual([0, 0]);
        subject.service();
        expect(queues[1]!.takeUsed(used)).toBe(true);
        expect(used).toEqual({ token: at, length: 40 + at });
        expect([device.handled, subject.takeInterrupts()]).toEqual([1, 1]);
      }
      other.subject.transport.writeStatus(0);
      expect(both.map(({ subject }) => subject.transport.readStatus())).toEqual([0xf, 0]);
    });

    describe.each([
      ['split', 0n],
      ['packed', RING_PACKED],
    ])('%s queues', (_layout, layout) => {
      /** Brings the device up with a queue at each address; the test is skipped where a feature is not offered. */
      const bringUpWith = (skip: (condition: boolean, note: string) => void, more = 0n) => {
        const missing = (layout | more) & ~transport.readDeviceFeatures();
        skip(missing !== 0n, `the transport does not offer 0x${missing.toString(16)}`);
        return bringUp(FEATURES | layout | more);
      };

      it('carries buffers and interrupts of each queue, at addresses of any size', ({ skip }) => {
        const { queues } = bringUpWith(skip);
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

      it('carries kicks with data', ({ skip }) => {
        const { agreed, queues } = bringUpWith(skip, NOTIFICATION_DATA);
        expect(agreed & NOTIFICATION_DATA).toBe(NOTIFICATION_DATA);
        const used = { token: -1, length: -1 };
        for (let round = 0; round < 20; round += 1) {
          for (const [index, queue] of queues.entries()) {
            queue.add([{ address: 0, length: round }], [], round);
            // Of a split queue the available index, of a packed one the offset, and in bit 15 the wrap counter.
            const lap = Math.floor((round + 1) / 8);
            expect(queue.next).toBe(
              layout === 0n ? round + 1 : ((round + 1) % 8) + (lap % 2 === 0 ? 0x8000 : 0),
            );
            transport.notifyQueue(index, queue.next);
            subject.service();
            expect(queue.takeUsed(used)).toBe(true);
            expect(used).toEqual({ token: round, length: round });
          }
        }
      });

      it('resets a queue alone, whose buffer the device keeps, and enables it elsewhere', ({
        skip,
      }) => {
        const { agreed, queues } = bringUpWith(skip, RING_RESET);
        const used = { token: -1, length: -1 };
        const [first, second] = queues as [DriverQueue, DriverQueue];
        first.enableInterrupts(true);
        first.add([{ address: 0, length: TO_KEEP }], [], 1);
        transport.notifyQueue(0);
        subject.service();
        first.add([{ address: 0, length: 2 }], [], 2);
        transport.notifyQueue(0);
        transport.resetQueue(0);
        expect([device.resets, device.context?.queues[0]]).toEqual([[0], undefined]);
        // Nothing that was under way is executed or notified any more.
        const before = new Uint8Array(0x1000);
        const after = new Uint8Array(0x1000);
        memory.read(ADDRESSES[0]!, before, 0, 0x1000);
        device.giveBack();
        expect(subject.service()).toBe(false);
        memory.read(ADDRESSES[0]!, after, 0, 0x1000);
        expect(after).toEqual(before);
        expect([device.handled, subject.takeInterrupts(), transport.readStatus()]).toEqual([
          ...[1, 0, 0xf],
        ]);
        // The other queue does not notice; the first one has its initial state again.
        second.add([{ address: 0, length: 3 }], [], 3);
        transport.notifyQueue(1);
        subject.service();
        expect(second.takeUsed(used)).toBe(true);
        expect(transport.queueMaxSize(0)).toBe(16);
        subject.takeInterrupts();
        const again = setting.enable(0, 4, ADDRESSES[0]! + 0x800, agreed);
        again.enableInterrupts(true);
        for (let token = 10; token < 16; token += 1) {
          again.add([{ address: 0, length: token }], [], token);
          transport.notifyQueue(0);
          subject.service();
          expect(again.takeUsed(used)).toBe(true);
          expect(used).toEqual({ token, length: token });
          expect(subject.takeInterrupts()).toBe(1);
        }
        expect([device.context?.queues[0]?.size, transport.readStatus()]).toEqual([4, 0xf]);
      });
    });
  });
}
