/** What one run of the stock guest proved: the checks, and the object that `viommu linux --json` prints. */

import type { GuestParts } from '../guest/guest-parts.ts';
import type { IommuGroup } from '../guest/guest-report.ts';
import type { GuestRun } from '../guest/run-guest.ts';
import type { ServerStatistics } from '../server/server-messages.ts';

export interface LinuxResult {
  readonly ok: boolean;
  readonly kernel: string;
  readonly qemu: string;
  readonly iommuGroups: readonly IommuGroup[];
  readonly requests: ServerStatistics['requests'];
  readonly faults: number;
  readonly disk: {
    readonly bytesRead: number;
    readonly bytesWritten: number;
    readonly sha256Guest: string;
    readonly sha256Host: string;
  };
  readonly dma: {
    readonly translatedBytes: number;
    readonly bypassedBytes: number;
    readonly bypassedAfterAttach: number;
  };
  readonly seconds: number;
}

/** One thing that had to hold. */
export interface Check {
  readonly holds: boolean;
  /** What was looked for, with the figures that were seen. */
  readonly text: string;
}

export interface HostChecksums {
  /** Of the whole disk, after the guest. */
  readonly whole: string;
  /** Of the part that the guest wrote. */
  readonly written: string;
}

/** Judges a run with the steps report, write and read of the whole disk. */
export function judge(
  parts: GuestParts,
  run: GuestRun,
  host: HostChecksums,
  statistics: ServerStatistics,
): { result: LinuxResult; checks: Check[] } {
  const boot = run.report.boots[0];
  const groups = boot?.iommuGroups ?? [];
  const write = boot?.writes[0];
  const read = boot?.reads.at(-1);
  const endpoints = statistics.endpoints;
  const sum = (pick: (endpoint: (typeof endpoints)[number]) => number): number =>
    endpoints.reduce((total, endpoint) => total + pick(endpoint), 0);
  const dma = {
    translatedBytes: sum((endpoint) => endpoint.translatedBytes),
    bypassedBytes: sum((endpoint) => endpoint.bypassedBytes),
    bypassedAfterAttach: sum((endpoint) => endpoint.bypassedAfterAttach),
  };
  const bound =
    boot?.pci.some(({ id, driver }) => id === '1af4:1057' && driver !== undefined) ?? false;
  const grouped = new Set(groups.flatMap(({ devices }) => devices)).size;
  const { requests } = statistics;
  const checks: Check[] = [
    { holds: run.problem === undefined, text: run.problem ?? 'the guest ran all its steps' },
    { holds: bound, text: "the guest's driver is bound to the IOMMU" },
    {
      holds: grouped === endpoints.length,
      text: `${grouped} of ${endpoints.length} endpoints are in an IOMMU group`,
    },
    {
      holds: write !== undefined && write.sha256 === host.written,
      text: `${write?.length ?? 0} bytes that the guest wrote are in the file: ${write?.sha256 ?? 'nothing'}`,
    },
    {
      holds: read !== undefined && read.sha256 === host.whole,
      text: `${read?.length ?? 0} bytes that the guest read are those of the file: ${read?.sha256 ?? 'nothing'}`,
    },
    {
      holds:
        requests.attach > 0 && requests.map > 0 && requests.unmap > 0 && dma.translatedBytes > 0,
      text: `${dma.translatedBytes} bytes of DMA went through ${requests.map} mappings of the guest`,
    },
    {
      holds: dma.bypassedAfterAttach === 0,
      text: `${dma.bypassedAfterAttach} bytes went by untranslated after the guest's driver was up`,
    },
    { holds: statistics.faults === 0, text: `${statistics.faults} faults` },
  ];
  return {
    checks,
    result: {
      ok: checks.every(({ holds }) => holds),
      kernel: boot?.kernel ?? parts.kernelRelease,
      qemu: parts.qemu.version,
      iommuGroups: groups,
      requests,
      faults: statistics.faults,
      disk: {
        bytesRead: boot?.reads.reduce((total, { length }) => total + length, 0) ?? 0,
        bytesWritten: boot?.writes.reduce((total, { length }) => total + length, 0) ?? 0,
        sha256Guest: read?.sha256 ?? '',
        sha256Host: host.whole,
      },
      dma,
      seconds: Math.round(run.seconds * 10) / 10,
    },
  };
}
