/** Cases of deviceRingSuite of packed virtqueues alone. */
import { expect } from 'vitest';
import { VIRTIO_F_INDIRECT_DESC } from '../../device/constants.ts';
import type { SuiteCase } from '../suite-case.ts';
import { brokenCase, readable, writable } from './broken-cases.ts';
import { INDIRECT, NEXT, RawPackedRing, WRITE } from './raw-ring.ts';
import type { RingSetting } from './ring-setting.ts';

const LISTS = 'Scatter-Gather Support';
/** VIRTQ_DESC_F_AVAIL, _USED. */
const [AVAIL, USED] = [0x80, 0x8000];

function packed(setting: RingSetting): RawPackedRing {
  if (setting.ring instanceof RawPackedRing) return setting.ring;
  throw new Error('a case of packed virtqueues on a split one');
}

export const packedCases: readonly SuiteCase<RingSetting>[] = [
  brokenCase(
    'bears a list that goes on in descriptors that are not available',
    LISTS,
    (setting) => {
      packed(setting).descriptor(0, { ...readable(setting), flags: AVAIL | NEXT });
      packed(setting).descriptor(1, { ...writable(setting), flags: 0 });
    },
  ),
  brokenCase(
    'bears a list that is longer than the ring',
    LISTS,
    (setting) => {
      const { size } = setting.ring.addresses;
      for (let index = 0; index < size; index += 1) {
        packed(setting).descriptor(index, { ...readable(setting), flags: AVAIL | NEXT });
      }
    },
    {},
    8,
  ),
  brokenCase(
    'bears an indirect descriptor in a list of others',
    'Indirect Flag: Scatter-Gather Support',
    (setting) => {
      const table = setting.ring.table(setting.tableAddress, writable(setting));
      setting.ring.offer(readable(setting), { ...table, flags: INDIRECT });
    },
    { more: VIRTIO_F_INDIRECT_DESC },
  ),
  ...(['descriptorArea', 'driverArea', 'deviceArea'] as const).map((area) =>
    brokenCase(
      `bears a misaligned ${area}`,
      'Structure Size and Alignment',
      (setting) => setting.ring.offer(readable(setting), writable(setting)),
      { change: (addresses) => ({ ...addresses, [area]: addresses[area] + 1 }), ringAsTold: true },
    ),
  ),
  {
    name: 'looks at no flag in an indirect table but WRITE',
    section: 'Indirect Flag: Scatter-Gather Support',
    level: 'described',
    says: 'In an indirect table the device ignores all flags but VIRTQ_DESC_F_WRITE.',
    needs: (setting) =>
      setting.offers(VIRTIO_F_INDIRECT_DESC)
        ? undefined
        : 'the device does not offer VIRTIO_F_INDIRECT_DESC',
    run(setting) {
      setting.bringUp({ more: VIRTIO_F_INDIRECT_DESC });
      setting.prepare();
      const others = NEXT | INDIRECT | AVAIL;
      const list = [
        ...setting.readable([1]).map((segment) => ({ ...segment, flags: others })),
        ...setting.writable(0, [1]).map((segment) => ({ ...segment, flags: others | WRITE })),
      ];
      setting.ring.offer(setting.ring.table(setting.tableAddress, ...list));
      setting.kick();
      expect(setting.ring.usedCount(), 'buffers used').toBe(1);
      const { descriptorArea } = setting.ring.addresses;
      const { usedLength } = setting.request;
      if (usedLength > 0) {
        expect(setting.bytes.read16(descriptorArea + 8), 'the used length').toBe(usedLength);
      }
      expect(setting.needsReset).toBe(false);
    },
  },
  {
    name: 'leaves a descriptor alone that is not available',
    section: 'Driver and Device Ring Wrap Counters',
    level: 'MUST',
    says: 'A descriptor is used only when its AVAIL bit has changed to the wrap counter.',
    run(setting) {
      for (const flags of [0, USED, AVAIL | USED]) {
        setting.bringUp();
        setting.prepare();
        packed(setting).descriptor(0, { ...readable(setting), flags });
        const before = setting.ring.usedCount();
        setting.kick();
        expect(setting.ring.usedCount(), `buffers used, flags 0x${flags.toString(16)}`).toBe(
          before,
        );
        expect(setting.needsReset).toBe(false);
      }
      setting.expectRecovery();
    },
  },
  {
    name: 'gives back the ID of the last descriptor of a list',
    section: 'Scatter-Gather Support',
    level: 'described',
    says: 'The used descriptor has the Buffer ID that the last descriptor of the list had.',
    run(setting) {
      setting.bringUp();
      setting.prepare();
      const list = [...setting.readable([1]), ...setting.writable(0, [1])];
      const ids = [6, 2, 7, 5].slice(-list.length);
      for (const [index, segment] of list.entries()) {
        const link = index + 1 < list.length ? NEXT : 0;
        const own = index < setting.readable([1]).length ? 0 : WRITE;
        const flags = own | link | AVAIL;
        packed(setting).descriptor(index, { ...segment, flags }, ids[index]);
      }
      setting.kick();
      expect(setting.ring.usedCount(), 'descriptors marked used').toBe(1);
      expect(setting.bytes.read16(setting.ring.addresses.descriptorArea + 12), 'the ID').toBe(5);
    },
  },
];
