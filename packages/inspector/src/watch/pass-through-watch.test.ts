/** What is told of devices that are passed through, and of nothing else. */
import type { IommuObserver, RequestRecord } from '@viommu/iommu-core';
import { type MachineDescription, pciEndpoint } from '@viommu/machine';
import { beforeEach, expect, it } from 'vitest';
import type { PassThroughStep } from './pass-through-step.ts';
import { type PassThroughWatch, watchPassThrough } from './pass-through-watch.ts';

const ENGINE = 0x40;
const DISK = 0x28;
/** Behind the second IOMMU. */
const SECOND = 0x48;
const devices: MachineDescription['devices'] = [
  { kind: 'rng', ...pciEndpoint(DISK) },
  { kind: 'engine', ...pciEndpoint(ENGINE) },
  { kind: 'engine', ...pciEndpoint(SECOND), iommu: 1 },
];
let told: PassThroughStep[];
let watch: PassThroughWatch;
let first: IommuObserver;
let second: IommuObserver;

beforeEach(() => {
  told = [];
  watch = watchPassThrough({ devices }, (step) => told.push(step));
  first = watch.observe(0);
  second = watch.observe(1);
});

/** A MAP of 0x1000 to 0x1fff to 0x8000, as it was on the wire. */
function map(domain: number, status = 0): RequestRecord {
  const bytes = new Uint8Array(36);
  bytes.set([3, 0, 0, 0, domain, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f]);
  bytes[25] = 0x80;
  return { type: 3, bytes, status, usedLength: 4 } as RequestRecord;
}

function everything(): void {
  watch.host.hostMapped?.(ENGINE, 0x1000, 0x1fff, 0x5000, 0x9000);
  first.request?.(map(4));
  first.translated?.(ENGINE, 0x1000, 16, 1, 0x9000, false);
}

it('tells of each step once the device has a domain that translates', () => {
  watch.host.hostMapped?.(ENGINE, 0, 0xffff, 0x5000, 0x9000);
  first.request?.(map(4));
  expect(told).toEqual([]);
  first.attached?.(ENGINE, 4, false);
  everything();
  watch.host.started?.(ENGINE, 1, 2, 3);
  first.fault?.(ENGINE, 2, 1, 0x7000, true);
  const endpoint = ENGINE;
  expect(told).toEqual([
    {
      ...{ type: 'hostMapped', endpoint, iova: 0x1000, iovaEnd: 0x1fff },
      ...{ userAddress: 0x5000, hostPhysical: 0x9000 },
    },
    { type: 'guestMapped', domain: 4, virtStart: 0x1000, virtEnd: 0x1fff, physStart: 0x8000 },
    {
      ...{ type: 'engineAccess', endpoint, address: 0x1000, length: 16 },
      ...{ access: 1, hostPhysical: 0x9000 },
    },
    { type: 'engineStarted', endpoint, source: 1, destination: 2, length: 3 },
    { type: 'engineRefused', endpoint, address: 0x7000, access: 1, reason: 2 },
  ]);
});

it('tells nothing of other domains, other devices, refused requests and bypass', () => {
  first.attached?.(ENGINE, 4, false);
  first.attached?.(DISK, 5, false);
  first.detached?.(DISK, 5);
  first.request?.(map(5));
  first.request?.(map(4, 4));
  first.translated?.(DISK, 0x1000, 16, 1, 0x9000, false);
  first.translated?.(ENGINE, 0x1000, 16, 1, 0x9000, true);
  first.fault?.(DISK, 2, 1, 0x7000, true);
  watch.host.hostMapped?.(SECOND, 0x1000, 0x1fff, 0x5000, 0x9000);
  expect(told).toEqual([]);
});

it.each([
  ['it is detached', () => first.detached?.(ENGINE, 4)],
  ['it is put into a bypass domain', () => first.attached?.(ENGINE, 6, true)],
])('falls silent when %s', (_, happen) => {
  first.attached?.(ENGINE, 4, false);
  happen();
  first.request?.(map(4));
  watch.host.hostMapped?.(ENGINE, 0x1000, 0x1fff, 0x5000, 0x9000);
  expect(told).toEqual([]);
});

it('tells of no run that the host maps for anything but a MAP', () => {
  const bypassed = () => watch.host.hostMapped?.(ENGINE, 0, 0xffff_ffff, 0x5000, 0x9000);
  first.attached?.(ENGINE, 4, false);
  bypassed();
  first.detached?.(ENGINE, 4);
  first.attached?.(ENGINE, 4, false);
  first.request?.(map(4));
  bypassed();
  first.request?.(map(4, 8));
  first.request?.(map(4));
  expect(told.map(({ type }) => type)).toEqual(['guestMapped', 'guestMapped']);
});

it('keeps what is behind several IOMMUs apart', () => {
  first.attached?.(ENGINE, 4, false);
  second.attached?.(SECOND, 5, false);
  first.request?.(map(5));
  second.request?.(map(4));
  second.translated?.(ENGINE, 0x1000, 16, 1, 0x9000, false);
  expect(told).toEqual([]);
  second.request?.(map(5));
  expect(told).toMatchObject([{ type: 'guestMapped', domain: 5 }]);
});

it('watches nothing where no device is passed through', () => {
  expect(watchPassThrough({ devices: devices.slice(0, 1) }, () => {}).observe(0)).toEqual({});
});
