/** Cases of deviceRingSuite of split virtqueues alone. */
import { expect } from 'vitest';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC } from '../../device/constants.ts';
import type { SuiteCase } from '../suite-case.ts';
import { brokenCase, readable, writable } from './broken-cases.ts';
import { INDIRECT, NEXT, RawSplitRing, WRITE } from './raw-ring.ts';
import type { RingSetting } from './ring-setting.ts';

const AVAILABLE = 'The Virtqueue Available Ring';
const TABLE = 'The Virtqueue Descriptor Table';

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
  brokenCase('bears an available index that jumped too far', AVAILABLE, (setting) => {
    offerRequest(setting);
    split(setting).availIdx(setting.ring.addresses.size + 1);
  }),
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
      setting.expectContained(2);
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
    name: 'interrupts for the used buffer that used_event names, not before',
    section: 'Used Buffer Notification Suppression',
    level: 'MUST',
    says: 'With VIRTIO_F_EVENT_IDX the driver is interrupted when the used index passes used_event.',
    needs: (setting) => {
      if (setting.device.takeInterrupt === undefined) return 'the adapter sees no interrupts';
      return setting.offers(VIRTIO_F_EVENT_IDX)
        ? undefined
        : 'the device does not offer VIRTIO_F_EVENT_IDX';
    },
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_EVENT_IDX });
      split(setting).usedEvent(2);
      const interrupted = () => {
        setting.exchange();
        return setting.device.takeInterrupt!(setting.request.queue);
      };
      expect([interrupted(), interrupted(), interrupted(), interrupted()]).toEqual([
        ...[false, false, true, false],
      ]);
      // A window around the end of the 16 bits: a batch that passes it.
      split(setting).usedEvent(5);
      for (let slot = 0; slot < 3; slot += 1) setting.add(slot);
      setting.kick();
      expect(setting.device.takeInterrupt!(setting.request.queue)).toBe(true);
    },
  },
];
