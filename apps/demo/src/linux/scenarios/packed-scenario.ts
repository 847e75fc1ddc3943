/** The scenario `packed`: every queue of the IOMMU and of what is behind it is a packed virtqueue. */
import { standardMachine } from '@viommu/machine';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';
import { SMALL_DISK_BYTES, SMALL_DISK_STEPS } from './small-disk.ts';

// "Reserved Feature Bits".
const VIRTIO_F_EVENT_IDX = 29;
const VIRTIO_F_RING_PACKED = 34;
const VIRTIO_F_NOTIFICATION_DATA = 38;

export const PACKED_SCENARIO: Scenario = {
  name: 'packed',
  summary: 'packed virtqueues everywhere',
  machine: {
    diskBytes: [SMALL_DISK_BYTES],
    describe: (setting) => standardMachine({ ...setting, packed: true }),
  },
  steps: () => SMALL_DISK_STEPS,
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
