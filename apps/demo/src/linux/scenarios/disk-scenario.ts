/** The scenario `disk`: the guest writes and reads its disk, all of it through its mappings. */
import type { GuestStep } from '../../guest/guest-steps.ts';
import { sha256OfRange } from '../disk-image.ts';
import { DEFAULT_DISK_BYTES } from '../linux-machine.ts';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';

const MEBIBYTE = 1 << 20;
const WRITTEN = { offset: 64 * MEBIBYTE, length: 16 * MEBIBYTE };
const STEPS: readonly GuestStep[] = [
  { step: 'report' },
  { step: 'write', disk: 'vda', ...WRITTEN },
  { step: 'read', disk: 'vda', offset: 0, length: DEFAULT_DISK_BYTES },
  { step: 'rng' },
];

export const DISK_SCENARIO: Scenario = {
  name: 'disk',
  summary: 'a virtual disk behind the IOMMU',
  machine: {},
  steps: () => STEPS,
  faults: 0,
  parts: {},
  judge,
};

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const boot = outcome.run.report.boots[0];
  const [disk = ''] = outcome.disks;
  const { attach, map, unmap } = outcome.statistics.requests;
  return {
    checks: [
      ...checkDisks(outcome),
      {
        holds: attach > 0 && map > 0 && unmap > 0,
        text: `the guest made ${map} mappings and took ${unmap} back`,
      },
    ],
    facts: {
      disk: {
        bytesRead: boot?.reads.reduce((total, { length }) => total + length, 0) ?? 0,
        bytesWritten: boot?.writes.reduce((total, { length }) => total + length, 0) ?? 0,
        sha256Guest: boot?.reads.at(-1)?.sha256 ?? '',
        sha256Host: sha256OfRange(disk, 0, DEFAULT_DISK_BYTES),
      },
    },
    lines: [],
  };
}
