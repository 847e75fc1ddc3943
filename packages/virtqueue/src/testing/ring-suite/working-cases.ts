/** Cases of deviceRingSuite in which the driver does nothing wrong. */
import { expect } from 'vitest';
import {
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_RESET,
} from '../../device/constants.ts';
import type { SuiteCase } from '../suite-case.ts';
import type { RingSetting } from './ring-setting.ts';

type RingCase = SuiteCase<RingSetting>;

const offered =
  (features: bigint, name: string) =>
  (setting: RingSetting): string | undefined =>
    setting.offers(features) ? undefined : `the device does not offer ${name}`;
const sees = ({ device }: RingSetting): string | undefined =>
  device.takeInterrupt === undefined ? 'the adapter sees no interrupts' : undefined;

export const workingCases: readonly RingCase[] = [
  {
    name: 'answers requests over many laps of the ring',
    section: 'Virtqueues',
    level: 'described',
    says: 'Each buffer that is made available is used once.',
    run(setting) {
      setting.bringUp();
      for (let round = 0; round < 40; round += 1) setting.exchange();
      expect(setting.take(), 'a buffer is used twice').toBeUndefined();
      expect(setting.needsReset).toBe(false);
    },
  },
  {
    name: 'answers all that were made available before one kick',
    section: 'Available Buffer Notifications',
    level: 'described',
    says: 'One notification is for all buffers that are available.',
    run(setting) {
      setting.bringUp({ size: 64 });
      for (let round = 0; round < 3; round += 1) {
        let count = 0;
        while (count < 24 && setting.add(count)) count += 1;
        setting.kick();
        const tokens = new Set<number>();
        for (let taken = setting.take(); taken !== undefined; taken = setting.take()) {
          expect(taken.length, 'the used length is wrong').toBe(setting.request.usedLength);
          tokens.add(taken.token);
        }
        expect(tokens.size, 'buffers that are used').toBe(count);
      }
    },
  },
  {
    name: 'takes a request in which each byte is a descriptor',
    section: 'Message Framing',
    level: 'MUST',
    says: 'The device makes no assumption about the arrangement of descriptors.',
    run(setting) {
      setting.bringUp({ size: 256 });
      const { readable, writable } = setting.request;
      const room = setting.queue.size - 2;
      const readableBytes = Math.min(readable.length, room >> 1);
      const writableBytes = Math.min(writable, room - readableBytes);
      const ones = (count: number) => new Array<number>(count).fill(1);
      for (let round = 0; round < 3; round += 1) {
        setting.exchange({ readable: ones(readableBytes), writable: ones(writableBytes) });
      }
    },
  },
  {
    name: 'takes a request in two halves, and in an odd number of bytes',
    section: 'Message Framing',
    level: 'MUST',
    says: 'The device makes no assumption about the arrangement of descriptors.',
    run(setting) {
      setting.bringUp();
      const half = (length: number) => [Math.max(1, length >> 1)];
      const { readable, writable } = setting.request;
      setting.exchange({ readable: half(readable.length), writable: half(writable) });
      setting.exchange({ readable: [3, 1], writable: [1] });
    },
  },
  {
    name: 'takes an indirect table, at an address that is odd',
    section: 'Indirect Descriptors',
    level: 'described',
    says: 'An indirect table lies anywhere in memory.',
    needs: offered(VIRTIO_F_INDIRECT_DESC, 'VIRTIO_F_INDIRECT_DESC'),
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_INDIRECT_DESC });
      for (const offset of [0, 16, 3]) {
        setting.prepare();
        const address = setting.tableAddress + offset;
        const table = { address, deviceAddress: address };
        setting.queue.addIndirect(table, setting.readable([1]), setting.writable(0, [1]), 0);
        setting.kick();
        setting.expectAnswer();
      }
    },
  },
  {
    name: 'interrupts for a used buffer',
    section: 'Used Buffer Notifications',
    level: 'MUST',
    says: 'The driver is interrupted for used buffers when it wants to be.',
    needs: sees,
    run(setting) {
      setting.bringUp();
      const interrupted = [true, false, true].map((wanted) => interrupts(setting, wanted));
      expect([interrupted[0], interrupted[2]]).toEqual([true, true]);
    },
  },
  {
    name: 'does not interrupt when the driver wants none',
    section: 'Used Buffer Notification Suppression',
    level: 'SHOULD',
    says: 'The driver is not interrupted when it has asked for none.',
    needs: sees,
    run(setting) {
      setting.bringUp();
      const interrupted = [true, false, false].map((wanted) => interrupts(setting, wanted));
      expect(interrupted).toEqual([true, false, false]);
    },
  },
  {
    name: 'interrupts when the event index is passed',
    section: 'Used Buffer Notification Suppression',
    level: 'MUST',
    says: 'With VIRTIO_F_EVENT_IDX the driver says for which used buffer it is to be interrupted.',
    needs: (setting) => sees(setting) ?? offered(VIRTIO_F_EVENT_IDX, 'VIRTIO_F_EVENT_IDX')(setting),
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_EVENT_IDX });
      expect(interrupts(setting, true), 'the index is passed').toBe(true);
      setting.exchange();
      setting.device.takeInterrupt!(setting.request.queue);
      expect(interrupts(setting, true), 'the next index is passed').toBe(true);
    },
  },
  {
    name: 'does not interrupt when the event index is behind',
    section: 'Used Buffer Notification Suppression',
    level: 'SHOULD',
    says: 'With VIRTIO_F_EVENT_IDX the driver is not interrupted until it names another used buffer.',
    needs: (setting) => sees(setting) ?? offered(VIRTIO_F_EVENT_IDX, 'VIRTIO_F_EVENT_IDX')(setting),
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_EVENT_IDX });
      interrupts(setting, true);
      setting.exchange();
      setting.exchange();
      expect(setting.device.takeInterrupt!(setting.request.queue)).toBe(false);
    },
  },
  {
    name: 'bears a kick for nothing, and kicks that are too many',
    section: 'Available Buffer Notifications',
    level: 'ours',
    says: 'A notification without a buffer does nothing.',
    run(setting) {
      setting.bringUp();
      setting.kick();
      expect(setting.take()).toBeUndefined();
      setting.add();
      for (let time = 0; time < 3; time += 1) setting.kick();
      setting.expectAnswer();
      expect(setting.take(), 'a buffer is used twice').toBeUndefined();
      setting.exchange();
      expect(setting.needsReset).toBe(false);
    },
  },
  {
    name: 'bears a kick of a queue that is not there',
    section: 'Available Buffer Notifications',
    level: 'ours',
    says: 'A notification for a queue that the device does not have does nothing.',
    needs: ({ device }) =>
      device.notifyAnyQueue === undefined ? 'the adapter kicks no such queue' : undefined,
    run(setting) {
      setting.bringUp();
      const { queueCount } = setting.device.transport;
      for (const index of [queueCount, queueCount + 1, 0x7fff, 0xffff]) {
        setting.device.notifyAnyQueue!(index);
        setting.device.run();
      }
      setting.exchange();
    },
  },
  {
    name: 'consumes nothing before DRIVER_OK',
    section: 'Device Initialization',
    level: 'MUST',
    says: 'Before DRIVER_OK the device consumes no buffer and sends no notification.',
    run(setting) {
      let used = -1;
      setting.bringUp({
        beforeDriverOk() {
          setting.add();
          setting.kick();
          used = setting.ring.usedCount();
        },
      });
      expect(used, 'buffers used before DRIVER_OK').toBe(0);
      setting.kick();
      setting.expectAnswer();
    },
  },
  {
    name: 'leaves a queue alone that is not enabled',
    section: 'Virtqueue Configuration',
    level: 'MUST',
    says: 'A virtqueue that was not enabled is not used.',
    run(setting) {
      setting.bringUp({ withoutQueue: true });
      setting.add();
      setting.kick();
      expect(setting.ring.usedCount(), 'buffers used').toBe(0);
      setting.expectRecovery();
    },
  },
  {
    name: 'does nothing more after a reset',
    section: 'Device Reset',
    level: 'MUST',
    says: 'After a reset the device accesses no queue until it is set up again.',
    run(setting) {
      setting.bringUp();
      setting.exchange();
      setting.device.takeInterrupt?.(setting.request.queue);
      setting.add();
      setting.device.transport.writeStatus(0);
      const used = setting.ring.usedCount();
      setting.kick();
      expect(setting.ring.usedCount(), 'a buffer is used after the reset').toBe(used);
      expect(setting.device.takeInterrupt?.(setting.request.queue) ?? false).toBe(false);
      setting.expectRecovery();
    },
  },
  {
    name: 'resets one queue, which can be set up again',
    section: 'Virtqueue Reset',
    level: 'MUST',
    says: 'After a queue reset the device executes nothing of that queue; it can be enabled anew.',
    needs: offered(VIRTIO_F_RING_RESET, 'VIRTIO_F_RING_RESET'),
    run(setting) {
      const { queue: index } = setting.request;
      const { transport } = setting.device;
      setting.bringUp({ more: VIRTIO_F_RING_RESET });
      setting.exchange();
      setting.add();
      transport.resetQueue(index);
      const used = setting.ring.usedCount();
      setting.kick();
      expect(setting.ring.usedCount(), 'a buffer is used after the reset').toBe(used);
      setting.renewQueue();
      transport.enableQueue(index, setting.queue.addresses);
      setting.exchange();
      setting.exchange();
    },
  },
];

/** Says whether interrupts are wanted, makes a request, and says whether one came. */
function interrupts(setting: RingSetting, wanted: boolean): boolean {
  setting.queue.enableInterrupts(wanted);
  setting.exchange();
  return setting.device.takeInterrupt!(setting.request.queue);
}
