/** Cases of deviceRingSuite of split virtqueues alone. */
import { expect } from 'vitest';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC } from '../../device/constants.ts';
import type { SuiteCase } from '../suite-case.ts';
import { brokenCase, readable, writable } from './broken-cases.ts';
import { INDIRECT, NEXT, RawSplitRing, WRITE } from './raw-ring.ts';
import type { RingSetting } from './ring-setting.ts';

const AVAILABLE = 'The Virtqueue Available Ring';
const TABLE = 'The Virtqueue Descriptor Table';
/** What an index that is wrong means is for the device to say: it may take old buffers for new ones. */
const ANY = 0xffff;
const SUPPRESSION = 'Used Buffer Notification Suppression';

function split(setting: RingSetting): RawSplitRing {
  if (setting.ring instanceof RawSplitRing) return setting.ring;
  throw new Error('a case of split virtqueues on a packed one');
}

/** The whole request as descriptors 0 and 1, or 0 alone. */
function offerRequest(setting: RingSetting): void {
  const list = [
    ...setting.readable(),
    ...setting.writable().map((segment) => ({ ...segment, flags: WRITE })),
  ];
  split(setting).offer(...list);
}

export const splitCases: readonly SuiteCase<RingSetting>[] = [
  ...[8, 0xffff].map((head) =>
    brokenCase(`bears a head of ${head} in a table of 8`, AVAILABLE, (setting) => {
      offerRequest(setting);
      split(setting).available(head);
    }),
  ),
  brokenCase(
    'bears an available index that jumped too far',
    AVAILABLE,
    (setting) => {
      offerRequest(setting);
      split(setting).availIdx(setting.ring.addresses.size + 1);
    },
    {},
    ANY,
  ),
  {
    name: 'bears an available index that went back',
    section: AVAILABLE,
    level: 'ours',
    says: 'The device asks for a reset or drops the buffer, writes nowhere else, and works after a reset.',
    run(setting) {
      setting.bringUp();
      setting.exchange();
      setting.exchange();
      split(setting).availIdx(1);
      setting.expectContained(ANY);
    },
  },
  brokenCase('bears a next beyond the table', TABLE, (setting) => {
    const first = { ...readable(setting), flags: NEXT, next: 8 };
    split(setting).offer(first);
  }),
  brokenCase('bears a descriptor that is its own next', TABLE, (setting) => {
    split(setting).offer({ ...readable(setting), flags: NEXT, next: 0 });
  }),
  brokenCase('bears a loop of two, of descriptors to be written', TABLE, (setting) => {
    const two = [writable(setting), { ...writable(setting), flags: WRITE | NEXT, next: 0 }];
    split(setting).offer(...two);
  }),
  brokenCase(
    'bears an indirect table inside another',
    'Indirect Descriptors',
    (setting) => {
      const inner = { address: setting.tableAddress, length: 16, flags: INDIRECT };
      setting.ring.offer(setting.ring.table(setting.tableAddress, inner));
    },
    { more: VIRTIO_F_INDIRECT_DESC },
  ),
  brokenCase(
    'bears a next beyond an indirect table',
    'Indirect Descriptors',
    (setting) => {
      const entry = { ...readable(setting), flags: NEXT, next: 2 };
      setting.ring.offer({ ...setting.ring.table(setting.tableAddress, entry), length: 32 });
    },
    { more: VIRTIO_F_INDIRECT_DESC },
  ),
  brokenCase(
    'bears a loop in an indirect table',
    'Indirect Descriptors',
    (setting) => {
      const entry = { ...readable(setting), flags: NEXT, next: 0 };
      setting.ring.offer(setting.ring.table(setting.tableAddress, entry));
    },
    { more: VIRTIO_F_INDIRECT_DESC },
  ),
  ...[3, 7].map((size) =>
    brokenCase(
      `bears a queue of ${size}, which is no power of two`,
      'Virtqueue Configuration',
      (setting) => offerRequest(setting),
      { change: (addresses) => ({ ...addresses, size }) },
    ),
  ),
  ...(['descriptorArea', 'driverArea', 'deviceArea'] as const).map((area) =>
    brokenCase(`bears a misaligned ${area}`, 'Virtqueues', (setting) => offerRequest(setting), {
      change: (addresses) => ({ ...addresses, [area]: addresses[area] + 1 }),
      ringAsTold: true,
    }),
  ),
  {
    name: 'takes direct descriptors with an indirect one behind them',
    section: 'Indirect Descriptors',
    level: 'MUST',
    says: 'Any number of direct descriptors may stand before the indirect one.',
    needs: (setting) => {
      if (!setting.offers(VIRTIO_F_INDIRECT_DESC)) {
        return 'the device does not offer VIRTIO_F_INDIRECT_DESC';
      }
      return setting.request.readable.length + setting.request.writable < 2
        ? 'the request is too short'
        : undefined;
    },
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_INDIRECT_DESC });
      setting.prepare();
      const list = [
        ...setting.readable([1]),
        ...setting.writable(0, [1]).map((segment) => ({ ...segment, flags: WRITE })),
      ];
      const [first, ...others] = list;
      const table = setting.ring.table(setting.tableAddress, ...others);
      setting.ring.offer(first!, { ...table, flags: INDIRECT });
      setting.kick();
      expect(setting.ring.usedCount(), 'buffers used').toBe(1);
      const { deviceArea } = setting.ring.addresses;
      expect(setting.bytes.read16(deviceArea + 4), 'the head').toBe(0);
      expect(setting.bytes.read16(deviceArea + 8), 'the used length').toBe(
        setting.request.usedLength,
      );
    },
  },
  {
    name: 'interrupts for the used buffer that used_event names',
    section: SUPPRESSION,
    level: 'MUST',
    says: 'With VIRTIO_F_EVENT_IDX the driver is interrupted when the used index passes used_event.',
    needs: eventIndex,
    run(setting) {
      const interrupted = interruptsOf(setting, 2, 3);
      expect(interrupted[2], 'the third buffer').toBe(true);
      // Of three buffers that are used together, the one in the middle.
      split(setting).usedEvent(4);
      for (let slot = 0; slot < 3; slot += 1) setting.add(slot);
      setting.kick();
      expect(setting.device.takeInterrupt!(setting.request.queue), 'one of three').toBe(true);
    },
  },
  {
    name: 'does not interrupt for used buffers that used_event does not name',
    section: SUPPRESSION,
    level: 'SHOULD',
    says: 'With VIRTIO_F_EVENT_IDX the driver is not interrupted before the used index passes used_event, nor again behind it.',
    needs: eventIndex,
    run(setting) {
      expect(interruptsOf(setting, 2, 5)).toEqual([false, false, true, false, false]);
    },
  },
];

function eventIndex(setting: RingSetting): string | undefined {
  if (setting.device.takeInterrupt === undefined) return 'the adapter sees no interrupts';
  return setting.offers(VIRTIO_F_EVENT_IDX)
    ? undefined
    : 'the device does not offer VIRTIO_F_EVENT_IDX';
}

/** For each of `count` requests, one by one, whether it interrupted. */
function interruptsOf(setting: RingSetting, usedEvent: number, count: number): boolean[] {
  setting.bringUp({ more: VIRTIO_F_EVENT_IDX });
  split(setting).usedEvent(usedEvent);
  return Array.from({ length: count }, () => {
    setting.exchange();
    return setting.device.takeInterrupt!(setting.request.queue);
  });
}
