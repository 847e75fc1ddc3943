import type { RequestRecord } from '@viommu/iommu-core';
import { beforeEach, expect, it } from 'vitest';
import { type PassThroughWatch, watchPassThrough } from './pass-through-watch.ts';
import type { PassThroughMessage } from './server-messages.ts';

const ENGINE = 0x40;
let posted: PassThroughMessage[];
let watch: PassThroughWatch;

beforeEach(() => {
  posted = [];
  watch = watchPassThrough(ENGINE, (message) => posted.push(message));
});

/** A MAP of 0x1000 to 0x1fff to 0x8000, as it was on the wire. */
function map(domain: number, status = 0): RequestRecord {
  const bytes = new Uint8Array(36);
  bytes.set([3, 0, 0, 0, domain, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0x1f]);
  bytes[25] = 0x80;
  return { type: 3, bytes, status, usedLength: 4 } as RequestRecord;
}

function everything(): void {
  watch.iommu.request?.(map(4));
  watch.host.hostMapped?.(ENGINE, 0x1000, 0x1fff, 0x5000, 0x9000);
  watch.iommu.translated?.(ENGINE, 0x1000, 16, 1, 0x9000, false);
}

it('tells of each step once the device has a domain that translates', () => {
  watch.host.hostMapped?.(ENGINE, 0, 0xffff, 0x5000, 0x9000);
  watch.iommu.request?.(map(4));
  expect(posted).toEqual([]);
  watch.attached(ENGINE, 4, false);
  everything();
  watch.host.started?.(ENGINE, 1, 2, 3);
  expect(posted).toEqual([
    { type: 'guestMapped', virtStart: 0x1000, virtEnd: 0x1fff, physStart: 0x8000 },
    {
      type: 'hostMapped',
      iova: 0x1000,
      iovaEnd: 0x1fff,
      userAddress: 0x5000,
      hostPhysical: 0x9000,
    },
    { type: 'engineAccess', address: 0x1000, length: 16, access: 1, hostPhysical: 0x9000 },
    { type: 'engineStarted', source: 1, destination: 2, length: 3 },
  ]);
});

it('tells nothing of other domains, other devices, refused requests and bypass', () => {
  watch.attached(ENGINE, 4, false);
  watch.attached(0x28, 5, false);
  watch.detached(0x28);
  watch.iommu.request?.(map(5));
  watch.iommu.request?.(map(4, 4));
  watch.iommu.translated?.(0x28, 0x1000, 16, 1, 0x9000, false);
  watch.iommu.translated?.(ENGINE, 0x1000, 16, 1, 0x9000, true);
  expect(posted).toEqual([]);
});

it.each([
  ['it is detached', () => watch.detached(ENGINE)],
  ['the IOMMU is reset', () => watch.iommu.reset?.()],
  ['it is put into a bypass domain', () => watch.attached(ENGINE, 6, true)],
])('falls silent when %s', (_, happen) => {
  watch.attached(ENGINE, 4, false);
  happen();
  watch.iommu.request?.(map(4));
  watch.host.hostMapped?.(ENGINE, 0x1000, 0x1fff, 0x5000, 0x9000);
  expect(posted).toEqual([]);
});
