/** Times a guest's reads from our disk behind our IOMMU, and from QEMU's own disk behind QEMU's own IOMMU, by turns. */
import { CommandError } from '../command-error.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import type { GuestStep } from '../guest/guest-steps.ts';
import { createLinuxMachine } from '../linux/linux-machine.ts';
import type { Figures } from './figures.ts';

const DISK_BYTES = 128 << 20;
/** Enough of each for some tenths of a second, beside which what dd's start varies by is little. */
const READS = [
  { blockSize: 1 << 20, count: 128 },
  { blockSize: 64 << 10, count: 512 },
  { blockSize: 4 << 10, count: 2048 },
] as const;
const STEPS: readonly GuestStep[] = READS.map((reads) => ({
  step: 'bench',
  disk: 'vda',
  ...reads,
}));

export interface GuestBenchOptions {
  readonly parts: GuestParts;
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** @throws {CommandError} when a guest does not get through its reads */
export async function guestBench(options: GuestBenchOptions): Promise<Figures[]> {
  const figures = READS.map(({ blockSize }) => ({
    blockSize,
    ours: [] as number[],
    qemu: [] as number[],
  }));
  const machine = await createLinuxMachine({ parts: options.parts, diskBytes: [DISK_BYTES] });
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const side of ['ours', 'qemu'] as const) {
        options.onProgress(
          `round ${round} of ${options.rounds}: ${side === 'ours' ? 'our devices' : "QEMU's own"}`,
        );
        const run = await machine.boot({
          steps: STEPS,
          timeoutSeconds: 180,
          signal: options.signal,
          ownDevices: side === 'qemu',
        });
        const timings = run.report.boots[0]?.timings ?? [];
        if (run.problem !== undefined || timings.length !== READS.length) {
          throw new CommandError(
            `the guest with ${side} devices: ${run.problem ?? 'not all reads were timed'}`,
          );
        }
        for (const [index, { bytes, seconds }] of timings.entries()) {
          figures[index]![side].push(bytes / seconds / 1e6);
        }
      }
    }
  } finally {
    await machine.close();
  }
  return figures;
}
