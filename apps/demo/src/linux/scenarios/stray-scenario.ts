/** The scenario `stray`: a device accesses addresses that the guest has not mapped for it; all else goes on. */
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';
import { SMALL_DISK_BYTES, SMALL_DISK_STEPS } from './small-disk.ts';

/** The virtio-rng. Linux gives out addresses from 4 GiB downwards. */
const STRAY = { endpoint: 0x30, read: 0x1234_5000, write: 0xdead_0000 };
/** VIRTIO_IOMMU_FAULT_F_READ and VIRTIO_IOMMU_FAULT_F_WRITE. */
const ACCESSES = [
  { access: 1, name: 'read', sign: 'R', address: STRAY.read },
  { access: 2, name: 'write', sign: 'W', address: STRAY.write },
] as const;
/** VIRTIO_IOMMU_FAULT_R_MAPPING */
const NO_MAPPING = 2;

export const STRAY_SCENARIO: Scenario = {
  name: 'stray',
  summary: 'a device that accesses what it was not given',
  machine: { diskBytes: [SMALL_DISK_BYTES], stray: STRAY },
  steps: () => SMALL_DISK_STEPS,
  faults: ACCESSES.length,
  parts: {},
  judge,
};

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const boot = outcome.run.report.boots[0];
  const faults = outcome.messages.flatMap((message) => (message.type === 'fault' ? [message] : []));
  const log = boot?.log.filter((line) => / fault from EP /.test(line)) ?? [];
  const accesses = ACCESSES.map(({ access, name, sign, address }) => {
    const at = `0x${address.toString(16)}`;
    const fault = faults.find((one) => one.address === address && one.access === access);
    const isRefused = fault?.endpoint === STRAY.endpoint && fault.reason === NO_MAPPING;
    const told = new RegExp(`page fault from EP ${STRAY.endpoint} at ${at} \\[[^\\]]*${sign}`);
    const line = log.find((text) => told.test(text));
    return { access: name, address, at, isRefused, delivered: fault?.delivered ?? false, line };
  });
  return {
    checks: [
      ...accesses.map(({ access, at, isRefused, delivered }) => ({
        holds: isRefused && delivered,
        text: `a ${access} at ${at} ${isRefused ? 'is refused' : 'did not come'}, and the guest is ${delivered ? '' : 'not '}told`,
      })),
      {
        holds: accesses.every(({ line }) => line !== undefined) && log.length === accesses.length,
        text: `the guest's kernel logs both faults: ${log.join(' | ') || 'nothing'}`,
      },
      ...checkDisks(outcome),
      {
        holds: boot?.rng !== undefined && /^[0-9a-f]{128}$/.test(boot.rng.hex),
        text: `the device goes on: ${(boot?.rng?.hex.length ?? 0) / 2} random bytes from ${boot?.rng?.source ?? 'nowhere'}`,
      },
    ],
    facts: {
      stray: {
        endpoint: STRAY.endpoint,
        accesses: accesses.map(({ access, address, isRefused, delivered }) => ({
          ...{ access, address },
          ...{ refused: isRefused, delivered },
        })),
        kernelLog: log,
      },
    },
    lines: [],
  };
}
