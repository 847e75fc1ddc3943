/** The contract Scenario: one way to boot the stock guest, and what must hold then. Types and docs only. */

import type { GuestRun } from '../../guest/follow-guest.ts';
import type { GuestStep } from '../../guest/guest-steps.ts';
import type { PartChoice } from '../../guest/part-choice.ts';
import type { ServerMessage, ServerStatistics } from '../../server/server-messages.ts';
import type { Download } from '../guest-network.ts';
import type { LinuxMachineOptions } from '../linux-machine.ts';

/** One thing that had to hold. */
export interface Check {
  readonly holds: boolean;
  /** What was looked for, with the figures that were seen. */
  readonly text: string;
}

/** What there is to judge by, when the guest and the server have ended. */
export interface ScenarioOutcome {
  readonly run: GuestRun;
  readonly statistics: ServerStatistics;
  readonly messages: readonly ServerMessage[];
  /** Paths of the disk images, the guest's vda first. */
  readonly disks: readonly string[];
  readonly download: Download | undefined;
}

export interface ScenarioJudgement {
  readonly checks: readonly Check[];
  /** What `--json` prints of this scenario alone. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What is printed for people before the checks. */
  readonly lines: readonly string[];
}

export interface Scenario {
  /** For the option `--scenario`. */
  readonly name: string;
  /** Half a sentence for `--help`. */
  readonly summary: string;
  /** What this boot's kernel command line has besides. */
  readonly kernelParameters?: readonly string[];
  /** Whether all DMA goes by untranslated, as the guest wants it; false when not given. */
  readonly bypasses?: boolean;
  /** What the machine has beside the IOMMU. */
  readonly machine: Omit<LinuxMachineOptions, 'parts' | 'onMessage' | 'threadFile'>;
  /** @param download what there is to fetch, if the machine has a network */
  steps(download: Download | undefined): readonly GuestStep[];
  /** Faults that are meant to be. */
  readonly faults: number;
  /** What a guest needs beside QEMU, a kernel and busybox. */
  readonly parts: Pick<PartChoice, 'compiler' | 'network'>;
  judge(outcome: ScenarioOutcome): ScenarioJudgement;
}
