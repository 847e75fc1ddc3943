/** Boots guests by turns on our devices behind our IOMMU, and on QEMU's own behind QEMU's own IOMMU, and times what they do. */

import { standardMachine } from '@viommu/machine';
import { CommandError } from '../command-error.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import type { GuestBoot } from '../guest/guest-report.ts';
import { STANDARD_MODULES } from '../guest/kernel-modules.ts';
import { createLinuxMachine, type LinuxMachine } from '../linux/linux-machine.ts';
import { COMPARISONS, DISK_BYTES, DOWNLOAD_BYTES, type Part, stepsOf } from './comparisons.ts';
import { makeRow, type Row } from './figures.ts';

export interface GuestBenchOptions {
  /** With passt, for a network. */
  readonly parts: GuestParts;
  readonly rounds: number;
  /** What to compare. */
  readonly wanted: readonly Part[];
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** One kernel command line; it takes a boot of each side. */
interface Mode {
  readonly text: string;
  readonly append: readonly string[];
  readonly parts: readonly Part[];
}

const MODES: readonly Mode[] = [
  { text: '', append: [], parts: ['disk', 'network', 'boot'] },
  { text: ', iommu.strict=1', append: ['iommu.strict=1'], parts: ['strict'] },
];
const SIDES = ['ours', 'theirs'] as const;

/** @throws {CommandError} when a guest does not get through its steps */
export async function guestBench(options: GuestBenchOptions): Promise<Row[]> {
  const { rounds, onProgress } = options;
  const wanted = COMPARISONS.filter(({ part }) => options.wanted.includes(part)).map((one) => ({
    comparison: one,
    values: { ours: [] as number[], theirs: [] as number[] },
  }));
  const machine = await createMachine(options);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      // What the machine warms up by, or cools down, is not always to the same side's good.
      const sides = round % 2 === 1 ? SIDES : SIDES.toReversed();
      for (const mode of MODES) {
        const asked = wanted.filter(({ comparison }) => mode.parts.includes(comparison.part));
        if (asked.length === 0) continue;
        for (const side of sides) {
          const whose = side === 'ours' ? 'our devices' : "QEMU's own";
          onProgress(`round ${round} of ${rounds}: ${whose}${mode.text}`);
          const boot = await bootOnce(machine, options, mode, side === 'theirs');
          for (const { comparison, values } of asked) {
            const value = comparison.value(boot);
            if (value === undefined) {
              throw new CommandError(`the guest with ${whose} did not do: ${comparison.name}`);
            }
            values[side].push(value);
          }
        }
      }
    }
  } finally {
    await machine.close();
  }
  return wanted.map(({ comparison, values }) => makeRow(comparison, values));
}

function createMachine({ parts, wanted }: GuestBenchOptions): Promise<LinuxMachine> {
  const hasNetwork = wanted.includes('network');
  return createLinuxMachine({
    parts,
    diskBytes: [DISK_BYTES],
    // The same functions on both sides.
    describe: (setting) => standardMachine({ ...setting, rng: false }),
    ...(hasNetwork
      ? { downloadBytes: DOWNLOAD_BYTES, load: [...STANDARD_MODULES, 'virtio_net'] }
      : {}),
  });
}

async function bootOnce(
  machine: LinuxMachine,
  { wanted, signal }: GuestBenchOptions,
  mode: Mode,
  ownDevices: boolean,
): Promise<GuestBoot> {
  const url = machine.download?.url ?? '';
  const run = await machine.boot({
    steps: mode.parts.filter((part) => wanted.includes(part)).flatMap((part) => stepsOf(part, url)),
    append: mode.append,
    timeoutSeconds: 180,
    signal,
    ownDevices,
  });
  const [boot] = run.report.boots;
  if (run.problem !== undefined || boot === undefined) {
    throw new CommandError(
      `the guest with ${ownDevices ? "QEMU's own" : 'our'} devices: ${run.problem ?? 'no boot'}`,
    );
  }
  return boot;
}
