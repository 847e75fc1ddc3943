/** QEMU's own virtio-iommu by our black-box suites: it departs where the lists say, and nowhere else. */
import { fileURLToPath } from 'node:url';
import { iommuSuite } from '@viommu/iommu-core/testing';
import { type CaseOutcome, deviceRingSuite } from '@viommu/virtqueue/testing';
import { describe, expect, it } from 'vitest';
import { hasGuest, parts } from './guest-setting.ts';
import { conformancePage } from './qemu-iommu/conformance-page.ts';
import { QEMU_DEPARTURES, QEMU_RING_DEPARTURES } from './qemu-iommu/departures.ts';
import { qemuIommu } from './qemu-iommu/qemu-device.ts';

const PAGE = fileURLToPath(new URL('../../../docs/peers-conformance.md', import.meta.url));
const NOENT = 6;

describe.runIf(hasGuest)('virtio-iommu-pci of QEMU', () => {
  const requests: CaseOutcome[] = [];
  const rings: CaseOutcome[] = [];
  const create = () => qemuIommu(parts!.qemu);

  iommuSuite(
    'QEMU',
    { create },
    { departures: QEMU_DEPARTURES, onOutcome: (outcome) => requests.push(outcome) },
  );

  // QEMU offers no packed virtqueues unless it is told to.
  deviceRingSuite(
    'QEMU',
    {
      create,
      layouts: ['split'],
      harmlessRequest: {
        queue: 0,
        // DETACH of an endpoint that is not there.
        readable: [2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        writable: 4,
        usedLength: 4,
        isAnswer: ([status]) => status === NOENT,
      },
    },
    {
      split: { departures: QEMU_RING_DEPARTURES, onOutcome: (outcome) => rings.push(outcome) },
    },
  );

  it('is on the page as it is: `vitest run -u` writes it', async () => {
    const page = conformancePage(parts!.qemu.version, [
      { title: 'Requests, mappings, faults', outcomes: requests },
      { title: 'Split virtqueues', outcomes: rings },
    ]);
    await expect(page).toMatchFileSnapshot(PAGE);
  });
});
