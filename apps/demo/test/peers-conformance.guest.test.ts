/** QEMU's own virtio-iommu by our black-box suite: it departs where the list says, and nowhere else. */
import { fileURLToPath } from 'node:url';
import { iommuSuite } from '@viommu/iommu-core/testing';
import type { CaseOutcome } from '@viommu/virtqueue/testing';
import { describe, expect, it } from 'vitest';
import { hasGuest, parts } from './guest-setting.ts';
import { conformancePage } from './qemu-iommu/conformance-page.ts';
import { QEMU_DEPARTURES } from './qemu-iommu/departures.ts';
import { qemuIommu } from './qemu-iommu/qemu-device.ts';

const PAGE = fileURLToPath(new URL('../../../docs/peers-conformance.md', import.meta.url));

describe.runIf(hasGuest)('virtio-iommu-pci of QEMU', () => {
  const outcomes: CaseOutcome[] = [];
  const create = () => qemuIommu(parts!.qemu);

  iommuSuite(
    'QEMU',
    { create },
    {
      departures: QEMU_DEPARTURES,
      onOutcome: (outcome) => outcomes.push(outcome),
    },
  );

  it('is on the page as it is: `vitest -u` writes it', async () => {
    await expect(conformancePage(parts!.qemu.version, outcomes)).toMatchFileSnapshot(PAGE);
  });
});
