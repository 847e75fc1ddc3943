/** Cases of deviceRingSuite in which the driver breaks the ring, whatever its layout: the device bears it, and a reset helps. */
import { VIRTIO_F_INDIRECT_DESC } from '../../device/constants.ts';
import type { QueueAddresses } from '../../driver/driver-transport.ts';
import type { SuiteCase } from '../suite-case.ts';
import { INDIRECT, NEXT, type RawDescriptor, WRITE } from './raw-ring.ts';
import type { BringUp, RingSetting } from './ring-setting.ts';

type RingCase = SuiteCase<RingSetting>;

/** What all of these ask for. */
const CONTAINED =
  'The device asks for a reset or drops the buffer, writes nowhere else, and works after a reset.';

/**
 * A case in which something is written into a fresh ring.
 *
 * @param most as of expectContained, and so is `breaksRing`
 */
export function brokenCase(
  name: string,
  section: string,
  forge: (setting: RingSetting) => void,
  bringUp: BringUp = {},
  most = 1,
  breaksRing = true,
): RingCase {
  const indirect = bringUp.more === VIRTIO_F_INDIRECT_DESC;
  return {
    ...{ name, section, level: 'ours', says: CONTAINED },
    needs: (setting) =>
      indirect && !setting.offers(VIRTIO_F_INDIRECT_DESC)
        ? 'the device does not offer VIRTIO_F_INDIRECT_DESC'
        : undefined,
    run(setting) {
      setting.bringUp(bringUp);
      setting.prepare();
      forge(setting);
      setting.expectContained(most, breaksRing);
    },
  };
}

/** A part of the place that a descriptor may refer to. */
export const readable = (setting: RingSetting, length = 8): RawDescriptor => ({
  address: setting.tableAddress + 0x1000,
  length,
});
export const writable = (setting: RingSetting, length = 8): RawDescriptor => ({
  address: setting.device.place.start + 0x2_8000,
  length,
  flags: WRITE,
});

/** A case in which the ring is in order, and the buffer is not. */
const wrongBuffer = (name: string, forge: (setting: RingSetting) => void): RingCase =>
  brokenCase(name, 'The Virtqueue Descriptor Table', forge, {}, 1, false);

const INDIRECT_DESC: BringUp = { more: VIRTIO_F_INDIRECT_DESC };
const INDIRECT_SECTION = 'Indirect Descriptors';

const misplaced = (
  name: string,
  change: (addresses: QueueAddresses, setting: { readonly absent: number }) => QueueAddresses,
): RingCase => ({
  ...{ name, section: 'Virtqueue Configuration', level: 'ours', says: CONTAINED },
  run(setting) {
    const absent = setting.absentAddress;
    setting.bringUp({ change: (addresses) => change(addresses, { absent }) });
    setting.prepare();
    setting.ring.offer(readable(setting), writable(setting));
    setting.expectContained();
  },
});

export const brokenCases: readonly RingCase[] = [
  brokenCase('bears a readable descriptor behind a writable one', 'Message Framing', (setting) => {
    setting.ring.offer(writable(setting), readable(setting));
  }),
  brokenCase(
    'bears a buffer of more than 2^32 bytes',
    'The Virtqueue Descriptor Table',
    (setting) => {
      const most = { ...readable(setting), length: 0xffff_ffff };
      setting.ring.offer(most, most, writable(setting));
    },
  ),
  wrongBuffer('bears a buffer to be read where there is no memory', (setting) => {
    setting.ring.offer({ address: setting.absentAddress, length: 64 }, writable(setting));
  }),
  wrongBuffer('bears a buffer to be written where there is no memory', (setting) => {
    const absent = { address: setting.absentAddress, length: 64, flags: WRITE };
    setting.ring.offer(readable(setting), absent);
  }),
  wrongBuffer('bears a buffer at the end of addresses', (setting) => {
    const last = { address: 2n ** 64n - 4n, length: 64 };
    setting.ring.offer(last, { ...last, flags: WRITE });
  }),
  wrongBuffer('bears a buffer without bytes', (setting) => {
    setting.ring.offer(readable(setting, 0), writable(setting, 0));
  }),
  brokenCase(
    'bears an indirect table although the feature was not accepted',
    INDIRECT_SECTION,
    (setting) => {
      setting.ring.offer(setting.ring.table(setting.tableAddress, readable(setting)));
    },
  ),
  brokenCase(
    'bears an indirect descriptor that has a next one',
    INDIRECT_SECTION,
    (setting) => {
      const table = setting.ring.table(setting.tableAddress, readable(setting));
      setting.ring.offer({ ...table, flags: INDIRECT | NEXT }, writable(setting));
    },
    INDIRECT_DESC,
  ),
  brokenCase(
    'bears a readable entry behind a writable one in an indirect table',
    INDIRECT_SECTION,
    (setting) => {
      const list = [writable(setting), readable(setting)];
      setting.ring.offer(setting.ring.table(setting.tableAddress, ...list));
    },
    INDIRECT_DESC,
  ),
  brokenCase(
    'bears an indirect table where there is no memory',
    INDIRECT_SECTION,
    (setting) => {
      setting.ring.offer({ address: setting.absentAddress, length: 32, flags: INDIRECT });
    },
    INDIRECT_DESC,
  ),
  ...[0, 8, 17, 0xffff_fff0].map((length) =>
    brokenCase(
      `bears an indirect table of ${length} bytes`,
      INDIRECT_SECTION,
      (setting) => {
        const table = setting.ring.table(setting.tableAddress, readable(setting));
        setting.ring.offer({ ...table, length });
      },
      INDIRECT_DESC,
    ),
  ),
  misplaced('bears a descriptor area where there is no memory', (addresses, { absent }) => ({
    ...addresses,
    descriptorArea: absent,
  })),
  misplaced('bears a driver area where there is no memory', (addresses, { absent }) => ({
    ...addresses,
    driverArea: absent,
  })),
  misplaced('bears a device area where there is no memory', (addresses, { absent }) => ({
    ...addresses,
    deviceArea: absent,
  })),
  misplaced('bears a queue without descriptors', (addresses) => ({ ...addresses, size: 0 })),
  misplaced('bears a queue larger than the largest', (addresses) => ({
    ...addresses,
    size: 0x8001,
  })),
];
