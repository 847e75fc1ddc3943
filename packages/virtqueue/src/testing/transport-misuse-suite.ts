/** transportMisuseSuite: the part of transportSuite in which the driver does what it must not, or at the wrong time. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { DriverQueue } from '../driver/driver-queue.ts';
import type { DriverTransport } from '../driver/driver-transport.ts';
import { FEATURES, type TransportSuiteDevice } from './transport-suite-device.ts';
import {
  type TransportFactory,
  TransportSetting,
  type TransportSubject,
} from './transport-suite-setting.ts';

const VERSION_1 = 1n << 32n;
const RING_PACKED = 1n << 34n;
const RING_RESET = 1n << 40n;
const NEEDS_RESET = 0x40;
/** Of a queue of either layout, in the setting's memory. */
const AREAS = { descriptorArea: 0x1000, driverArea: 0x1400, deviceArea: 0x1800 };

export function transportMisuseSuite(name: string, factory: TransportFactory): void {
  describe(`transport, misused: ${name}`, () => {
    let setting: TransportSetting;
    let device: TransportSuiteDevice;
    let subject: TransportSubject;
    let transport: DriverTransport;
    const used = { token: -1, length: -1 };

    beforeEach(() => {
      setting = new TransportSetting(factory);
      ({ device, subject } = setting);
      ({ transport } = subject);
    });

    it('reads 0 beyond the configuration, and writes nothing there', () => {
      const before = [...device.config];
      for (const [offset, width] of [
        [12, 1],
        [11, 2],
        [12, 4],
        [9, 4],
        [0x80, 4],
      ] as const) {
        transport.writeConfig(offset, width, 0xff);
        expect(transport.readConfig(offset, width)).toBe(0);
      }
      expect([...device.config]).toEqual(before);
    });

    it('has no kick for a queue that the device does not have', () => {
      setting.bringUp();
      const none = expect.objectContaining({ code: 'QUEUE_INDEX' });
      for (const index of [2, 0xffff]) expect(() => transport.notifyQueue(index)).toThrow(none);
      expect(subject.service()).toBe(false);
      expect([device.handled, transport.readStatus()]).toEqual([0, 0xf]);
    });

    it.each([
      ['a bit that was not offered', VERSION_1 | (1n << 20n)],
      ['a ring feature that was not offered', VERSION_1 | (1n << 36n)],
      ['the last of 64 bits', VERSION_1 | (1n << 63n)],
      ['no VERSION_1', FEATURES],
    ])('refuses %s', (_what, features) => {
      for (const status of [0, 1, 3]) transport.writeStatus(status);
      transport.writeDriverFeatures(features);
      transport.writeStatus(0xb);
      expect(transport.readStatus()).toBe(3);
      transport.writeDriverFeatures(VERSION_1);
      transport.writeStatus(0xb);
      expect(transport.readStatus()).toBe(0xb);
      transport.writeDriverFeatures(features);
      transport.writeStatus(0xf);
      expect(device.context?.driverFeatures).toBe(VERSION_1);
    });

    it('needs a reset after DRIVER_OK without FEATURES_OK', () => {
      for (const status of [0, 1, 3, 7]) transport.writeStatus(status);
      expect(transport.readStatus()).toBe(7 | NEEDS_RESET);
      expect(device.context).toBeUndefined();
      setting.bringUp();
      expect(transport.readStatus()).toBe(0xf);
    });

    it.each([
      ['split', 0n, 1, 0xf],
      ['split', 0n, 16, 0xf],
      ['split', 0n, 0, 0x4f],
      ['split', 0n, 7, 0x4f],
      ['split', 0n, 32, 0x4f],
      ['packed', RING_PACKED, 1, 0xf],
      ['packed', RING_PACKED, 7, 0xf],
      ['packed', RING_PACKED, 16, 0xf],
      ['packed', RING_PACKED, 0, 0x4f],
      ['packed', RING_PACKED, 17, 0x4f],
    ])(
      'a %s queue, by feature %d, of %d descriptors has status %d',
      (_layout, layout, size, status) => {
        for (const value of [0, 1, 3]) transport.writeStatus(value);
        transport.writeDriverFeatures(VERSION_1 | layout);
        transport.writeStatus(0xb);
        transport.enableQueue(0, { ...AREAS, size });
        transport.writeStatus(0xf);
        expect(transport.readStatus()).toBe(status);
        expect(device.context?.queues[0]?.size).toBe(status === 0xf ? size : undefined);
      },
    );

    describe.each([
      ['split', 0n],
      ['packed', RING_PACKED],
    ])('while the device has a buffer of a %s queue', (_layout, layout) => {
      const timeout = expect.objectContaining({ code: 'RESET_TIMEOUT' });

      /** Kicks queue 0, and does something in the middle of its first buffer of two. */
      const during = (action: () => void) => {
        const { queues } = setting.bringUp(FEATURES | layout | RING_RESET);
        queues[0]!.enableInterrupts(true);
        for (let token = 0; token < 2; token += 1)
          queues[0]!.add([{ address: 0, length: 3 }], [], token);
        device.during = () => {
          device.during = () => {};
          action();
        };
        transport.notifyQueue(0);
        const left = subject.service();
        expect(queues[0]!.takeUsed(used)).toBe(false);
        expect(device.handled).toBe(1);
        return left;
      };

      it('a reset is done when it has ended its work, and nothing is used', () => {
        const left = during(() => {
          expect(() => transport.writeStatus(0)).toThrow(timeout);
          expect(transport.readStatus()).toBe(NEEDS_RESET);
          expect(device.context).toBeDefined();
        });
        expect([left, transport.readStatus(), device.context]).toEqual([false, 0, undefined]);
        expect(subject.takeInterrupts()).toBe(0);
        setting.bringUp(FEATURES | layout);
        expect(transport.readStatus()).toBe(0xf);
      });

      it('a driver goes on that does not wait for its reset', () => {
        let again: DriverQueue[] = [];
        const left = during(() => {
          expect(() => transport.writeStatus(0)).toThrow(timeout);
          const add = (bit: number) => transport.writeStatus(transport.readStatus() | bit);
          add(1);
          add(2);
          transport.writeDriverFeatures(VERSION_1 | layout);
          add(8);
          again = setting.enableAll(VERSION_1 | layout);
          add(4);
        });
        expect([left, transport.readStatus()]).toEqual([true, 0xf]);
        const [queue] = again;
        queue!.add([{ address: 0, length: 5 }], [], 9);
        transport.notifyQueue(0);
        expect(subject.service()).toBe(false);
        expect(queue!.takeUsed(used)).toBe(true);
        expect(used).toEqual({ token: 9, length: 5 });
      });

      it('a reset of its queue is done when it has ended its work, and nothing is used', () => {
        during(() => {
          expect(() => transport.resetQueue(0)).toThrow(timeout);
          expect([device.resets, device.context?.queues[0]]).toEqual([[], undefined]);
        });
        expect([device.resets, transport.readStatus()]).toEqual([[0], 0xf]);
        expect(subject.takeInterrupts()).toBe(0);
        transport.resetQueue(1);
        expect(device.resets).toEqual([0, 1]);
      });
    });
  });
}
