/** `viommu bench`: how fast a guest reads from our disk behind our IOMMU, beside QEMU's own devices in the same run. */
import { type Command, InvalidArgumentError } from 'commander';
import { figuresTable } from '../bench/figures.ts';
import { guestBench } from '../bench/guest-bench.ts';
import { prepareGuestParts } from '../guest/guest-parts.ts';
import { addOwnPartsOptions, type OwnParts, withProgress } from './guest-command.ts';

interface BenchOptions extends OwnParts {
  readonly rounds: number;
  readonly json?: boolean;
}

export function addBenchCommand(program: Command): void {
  const command = program
    .command('bench')
    .description("time a stock guest's disk reads, ours and QEMU's own devices by turns")
    .option('--rounds <count>', 'boots of each', parseRounds, 5)
    .option('--json', 'print the figures as one machine-readable object');
  addOwnPartsOptions(command).action(bench);
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new InvalidArgumentError('It must be 1 or more.');
  return rounds;
}

async function bench({ rounds, json, ...own }: BenchOptions): Promise<void> {
  await withProgress(async ({ signal, step, stop }) => {
    const parts = await prepareGuestParts({ ...own, signal, onProgress: step });
    const figures = await guestBench({ parts, rounds, signal, onProgress: step });
    stop();
    process.stdout.write(
      json
        ? `${JSON.stringify({ kernel: parts.kernelRelease, figures })}\n`
        : `Linux ${parts.kernelRelease} under emulation; boots of each, by turns: ${rounds}\n\n${figuresTable(figures).join('\n')}\n`,
    );
  });
}
