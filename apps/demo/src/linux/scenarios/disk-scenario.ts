/** The scenario `disk`: the guest writes and reads its disk, all of it through its mappings. */
import type { GuestStep } from '../../guest/guest-steps.ts';
import { sha256OfRange } from '../disk-image.ts';
import { DEFAULT_DISK_BYTES } from '../linux-machine.ts';
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
  steps: STEPS,
  faults: 0,
  needsCompiler: false,
  judge,
};

function judge({ run, disks, statistics }: ScenarioOutcome): ScenarioJudgement {
  const boot = run.report.boots[0];
  const write = boot?.writes[0];
  const read = boot?.reads.at(-1);
  const [disk = ''] = disks;
  const whole = sha256OfRange(disk, 0, DEFAULT_DISK_BYTES);
  const written = sha256OfRange(disk, WRITTEN.offset, WRITTEN.length);
  const { attach, map, unmap } = statistics.requests;
  return {
    checks: [
      {
        holds: write !== undefined && write.sha256 === written,
        text: `${write?.length ?? 0} bytes that the guest wrote are in the file: ${write?.sha256 ?? 'nothing'}`,
      },
      {
        holds: read !== undefined && read.sha256 === whole,
        text: `${read?.length ?? 0} bytes that the guest read are those of the file: ${read?.sha256 ?? 'nothing'}`,
      },
      {
        holds: attach > 0 && map > 0 && unmap > 0,
        text: `the guest made ${map} mappings and took ${unmap} back`,
      },
    ],
    facts: {
      disk: {
        bytesRead: boot?.reads.reduce((total, { length }) => total + length, 0) ?? 0,
        bytesWritten: boot?.writes.reduce((total, { length }) => total + length, 0) ?? 0,
        sha256Guest: read?.sha256 ?? '',
        sha256Host: whole,
      },
    },
    lines: [],
  };
}
