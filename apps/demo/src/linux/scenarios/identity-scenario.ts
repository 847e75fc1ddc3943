/** The scenario `identity`: the guest's kernel, by `iommu.passthrough=1`, has its devices bypass the IOMMU. */
import { checkDisks } from './disk-checks.ts';
import type { Scenario, ScenarioJudgement, ScenarioOutcome } from './scenario.ts';
import { SMALL_DISK_BYTES, SMALL_DISK_STEPS } from './small-disk.ts';

export const IDENTITY_SCENARIO: Scenario = {
  name: 'identity',
  summary: 'devices that the guest has bypass the IOMMU, with iommu.passthrough=1',
  kernelParameters: ['iommu.passthrough=1'],
  bypasses: true,
  machine: { diskBytes: [SMALL_DISK_BYTES] },
  steps: () => SMALL_DISK_STEPS,
  faults: 0,
  parts: {},
  judge,
};

function judge(outcome: ScenarioOutcome): ScenarioJudgement {
  const { run, statistics, messages } = outcome;
  const groups = run.report.boots[0]?.iommuGroups ?? [];
  const types = groups.map(({ type }) => type);
  const attached = messages.flatMap((message) => (message.type === 'attached' ? [message] : []));
  const bypassing = new Set(attached.flatMap(({ endpoint, bypass }) => (bypass ? [endpoint] : [])));
  return {
    checks: [
      ...checkDisks(outcome),
      {
        holds: types.length > 0 && types.every((type) => type === 'identity'),
        text: `the guest's IOMMU groups are of type ${types.join(', ') || 'nothing'}`,
      },
      {
        holds: bypassing.size === statistics.endpoints.length && attached.every(isBypass),
        text: `${bypassing.size} of ${statistics.endpoints.length} endpoints were attached to bypass`,
      },
      {
        holds: statistics.requests.map === 0,
        text: `the guest made ${statistics.requests.map} mappings`,
      },
    ],
    facts: {
      identity: { endpoints: attached.map(({ device, bypass }) => ({ device, bypass })) },
    },
    lines: [],
  };
}

function isBypass({ bypass }: { readonly bypass: boolean }): boolean {
  return bypass;
}
