/** The scenario `two-iommus`: two IOMMUs in one guest, each with a disk that it knows by the same endpoint ID. */

import type { MachineDescription } from '@viommu/machine';
import { pciDisk, pciEndpoint, standardMachine } from '@viommu/machine';
import type { GuestStep } from '../../guest/guest-steps.ts';
import type { MachineSetting } from '../linux-machine.ts';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 32 * MEBIBYTE;
const WRITTEN = { offset: 16 * MEBIBYTE, length: 8 * MEBIBYTE };
const SECOND_IOMMU_BDF = 0x48;
const SECOND_DISK_BDF = 0x50;
const SECOND_RNG_BDF = 0x58;
/** What both disks are to their IOMMUs. */
const DISK_ENDPOINT = 0x28;

const STEPS: readonly GuestStep[] = ['vda', 'vdb'].flatMap((disk): GuestStep[] => [
  { step: 'write', disk, ...WRITTEN },
  { step: 'read', disk, offset: 0, length: DISK_BYTES },
]);

export const TWO_IOMMUS_SCENARIO: Scenario = {
  name: 'two-iommus',
  summary: 'two IOMMUs, each with a disk of the same endpoint ID',
  machine: { diskBytes: [DISK_BYTES, DISK_BYTES], describe, checkIsolation: true },
  steps: () => [{ step: 'report' }, ...STEPS],
  faults: 0,
  parts: {},
  judge,
};

function describe({
  disks: [first = '', second = ''],
  ...platform
}: MachineSetting): MachineDescription {
  const standard = standardMachine({ ...platform, disks: [first], rng: false });
  return {
    ...standard,
    iommus: [
      ...standard.iommus,
      { place: { bus: 'pci', bdf: SECOND_IOMMU_BDF }, bootBypass: true },
    ],
    devices: [
      ...standard.devices,
      { ...pciDisk(SECOND_DISK_BDF, second, false, 1), endpoint: DISK_ENDPOINT },
      { kind: 'rng', ...pciEndpoint(SECOND_RNG_BDF, 1) },
    ],
  };
}

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const { statistics, messages } = outcome;
  const { iommus, isolation } = statistics;
  const disks = statistics.endpoints.filter(({ endpoint }) => endpoint === DISK_ENDPOINT);
  const attached = messages.flatMap((message) =>
    message.type === 'attached' && message.endpoint === DISK_ENDPOINT ? [message] : [],
  );
  return {
    checks: [
      ...checkDisks(outcome),
      {
        holds: new Set(attached.map(({ iommu }) => iommu)).size === 2,
        text: `endpoint 0x28 was attached by ${attached.map(({ iommu, device }) => `IOMMU ${iommu} for ${device}`).join(' and by ') || 'nobody'}`,
      },
      {
        holds: iommus.every(({ requests }) => requests.map > 0),
        text: `the guest made ${iommus.map(({ requests }) => requests.map).join(' and ')} mappings`,
      },
      {
        holds: isolation.checked > 0 && isolation.strayed === 0,
        text: `${isolation.checked} looks at what endpoints reach, ${isolation.strayed} of them elsewhere than where the guest had mapped it`,
      },
    ],
    facts: {
      iommus: iommus.map(({ requests, faults }, iommu) => ({
        requests,
        faults,
        disk: disks.find((disk) => disk.iommu === iommu)?.device,
        translatedBytes: disks.find((disk) => disk.iommu === iommu)?.translatedBytes ?? 0,
      })),
    },
    lines: [],
  };
}
