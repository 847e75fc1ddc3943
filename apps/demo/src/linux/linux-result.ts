/** What one run of the stock guest proved: what must hold in every scenario, and the object that `viommu linux --json` prints. */
import type { IommuGroup } from '../guest/guest-report.ts';
import type { ServerStatistics } from '../server/server-messages.ts';
import type { RanIn } from './guest-choice.ts';
import type { Check, Scenario, ScenarioOutcome } from './scenarios/scenario.ts';

/** Beside these, the facts of the scenario. */
interface LinuxResult {
  readonly ok: boolean;
  readonly scenario: string;
  readonly kernel: string;
  /** The version of what it ran in; of QEMU under its own name. */
  readonly vmm: string;
  readonly qemu?: string;
  readonly iommuGroups: readonly IommuGroup[];
  readonly requests: ServerStatistics['requests'];
  readonly faults: number;
  readonly dma: {
    readonly translatedBytes: number;
    readonly bypassedBytes: number;
    readonly bypassedAfterAttach: number;
  };
  readonly seconds: number;
}

export interface LinuxJudgement {
  readonly result: LinuxResult;
  readonly checks: readonly Check[];
  readonly lines: readonly string[];
}

/** Judges a run whose first step was `report`. */
export function judge(ranIn: RanIn, scenario: Scenario, outcome: ScenarioOutcome): LinuxJudgement {
  const { run, statistics } = outcome;
  const boot = run.report.boots[0];
  const groups = boot?.iommuGroups ?? [];
  const { endpoints } = statistics;
  const sum = (pick: (endpoint: (typeof endpoints)[number]) => number): number =>
    endpoints.reduce((total, endpoint) => total + pick(endpoint), 0);
  const dma = {
    translatedBytes: sum((endpoint) => endpoint.translatedBytes),
    bypassedBytes: sum((endpoint) => endpoint.bypassedBytes),
    bypassedAfterAttach: sum((endpoint) => endpoint.bypassedAfterAttach),
  };
  const bound = boot?.virtio.filter(({ id, driver }) => id === '23' && driver !== undefined) ?? [];
  const iommus = statistics.iommus.length;
  const grouped = new Set(groups.flatMap(({ devices }) => devices)).size;
  const judgement = scenario.judge(outcome);
  const checks: Check[] = [
    { holds: run.problem === undefined, text: run.problem ?? 'the guest ran all its steps' },
    {
      holds: bound.length === iommus,
      text: `the guest's driver is bound to ${bound.length} of ${iommus} IOMMUs`,
    },
    {
      holds: grouped === endpoints.length,
      text: `${grouped} of ${endpoints.length} endpoints are in an IOMMU group`,
    },
    ...judgement.checks,
    {
      holds: scenario.bypasses ? dma.translatedBytes === 0 : dma.translatedBytes > 0,
      text: `${dma.translatedBytes} bytes of DMA went through the guest's mappings`,
    },
    {
      holds: scenario.bypasses ? dma.bypassedAfterAttach > 0 : dma.bypassedAfterAttach === 0,
      text: `${dma.bypassedAfterAttach} bytes went by untranslated after the guest's driver was up`,
    },
    {
      holds: statistics.faults === scenario.faults,
      text: `${statistics.faults} faults; ${scenario.faults} were meant to be`,
    },
  ];
  return {
    checks,
    lines: judgement.lines,
    result: {
      ok: checks.every(({ holds }) => holds),
      scenario: scenario.name,
      kernel: boot?.kernel ?? ranIn.kernelRelease,
      vmm: `${ranIn.vmm} ${ranIn.version}`,
      ...(ranIn.vmm === 'QEMU' ? { qemu: ranIn.version } : {}),
      iommuGroups: groups,
      requests: statistics.requests,
      faults: statistics.faults,
      ...judgement.facts,
      dma,
      seconds: Math.round(run.seconds * 10) / 10,
    },
  };
}
