/** The scenario `network`: the guest downloads a file through a virtio-net behind the IOMMU, and reads its disk meanwhile. */

import { NET_BDF, standardMachine } from '@viommu/machine';
import { STANDARD_MODULES } from '../../guest/kernel-modules.ts';
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 32 * MEBIBYTE;
const DOWNLOAD_BYTES = 32 * MEBIBYTE;
const WRITTEN = { offset: 16 * MEBIBYTE, length: 4 * MEBIBYTE };

export const NETWORK_SCENARIO: Scenario = {
  name: 'network',
  summary: 'a download through a virtio-net, with a disk that is read meanwhile',
  machine: {
    diskBytes: [DISK_BYTES],
    downloadBytes: DOWNLOAD_BYTES,
    describe: standardMachine,
    load: [...STANDARD_MODULES, 'virtio_net'],
  },
  steps: (download) => [
    { step: 'report' },
    { step: 'write', disk: 'vda', ...WRITTEN },
    { step: 'fetch', url: download!.url, bytes: DOWNLOAD_BYTES, disk: 'vda' },
    { step: 'read', disk: 'vda', offset: 0, length: DISK_BYTES },
  ],
  faults: 0,
  parts: { network: true },
  judge,
};

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const { run, download, statistics } = outcome;
  const boot = run.report.boots[0];
  const fetched = boot?.fetches[0];
  const traffic = statistics.endpoints.find(({ endpoint }) => endpoint === NET_BDF);
  const speed = fetched === undefined ? 0 : fetched.bytes / fetched.seconds / 1e6;
  return {
    checks: [
      {
        holds: fetched?.bytes === DOWNLOAD_BYTES && fetched.sha256 === download?.sha256,
        text: `${fetched?.bytes ?? 0} bytes downloaded, those of the host: ${fetched?.sha256 ?? 'nothing'}`,
      },
      {
        holds: (fetched?.diskBytes ?? 0) > 0,
        text: `${fetched?.diskBytes ?? 0} bytes of the disk were read meanwhile`,
      },
      {
        holds: (traffic?.translatedBytes ?? 0) > DOWNLOAD_BYTES,
        text: `${traffic?.translatedBytes ?? 0} bytes of the virtio-net went through the guest's mappings`,
      },
      ...checkDisks(outcome),
    ],
    facts: {
      network: {
        ...boot?.network,
        bytes: fetched?.bytes ?? 0,
        sha256Guest: fetched?.sha256 ?? '',
        sha256Host: download?.sha256 ?? '',
        seconds: fetched?.seconds ?? 0,
        megabytesPerSecond: Math.round(speed * 10) / 10,
        diskBytesMeanwhile: fetched?.diskBytes ?? 0,
      },
    },
    lines: [],
  };
}
