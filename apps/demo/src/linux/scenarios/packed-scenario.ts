/** The scenario `packed`: every queue of the IOMMU and of what is behind it is a packed virtqueue. */
import { standardMachine } from '@viommu/machine';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 48 * MEBIBYTE;
const WRITTEN = { offset: 32 * MEBIBYTE, length: 8 * MEBIBYTE };
// "Reserved Feature Bits".
const VIRTIO_F_EVENT_IDX = 29;
const VIRTIO_F_RING_PACKED = 34;
const VIRTIO_F_NOTIFICATION_DATA = 38;

export const PACKED_SCENARIO: Scenario = {
  name: 'packed',
  summary: 'packed virtqueues everywhere',
  machine: {
    diskBytes: [DISK_BYTES],
    describe: (setting) => standardMachine({ ...setting, packed: true }),
  },
  steps: () => [
    { step: 'report' },
    { step: 'write', disk: 'vda', ...WRITTEN },
    { step: 'read', disk: 'vda', offset: 0, length: DISK_BYTES },
    { step: 'rng' },
  ],
  faults: 0,
  parts: {},
  judge,
};

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const devices = outcome.run.report.boots[0]?.virtio ?? [];
  const agreed = devices.map(({ address, id, features }) => ({
    device: address,
    id: Number(id),
    packed: features?.[VIRTIO_F_RING_PACKED] === '1',
    eventIdx: features?.[VIRTIO_F_EVENT_IDX] === '1',
    notificationData: features?.[VIRTIO_F_NOTIFICATION_DATA] === '1',
  }));
  const packed = agreed.filter((device) => device.packed);
  return {
    checks: [
      ...checkDisks(outcome),
      {
        holds: devices.length === 3 && packed.length === devices.length,
        text: `${packed.length} of ${devices.length} devices have packed virtqueues: ${packed.map(({ device }) => device).join(', ') || 'none'}`,
      },
    ],
    facts: { packed: { devices: agreed } },
    lines: [],
  };
}
