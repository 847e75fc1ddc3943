/** `viommu bench`: how fast a guest is on our devices behind our IOMMU, beside QEMU's own devices in the same run. */
import { cpus } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PARTS, type Part } from '../bench/comparisons.ts';
import { rowsTable } from '../bench/figures.ts';
import { guestBench } from '../bench/guest-bench.ts';
import { type GuestParts, prepareGuestParts } from '../guest/guest-parts.ts';
import { addOwnPartsOptions, type OwnParts, withProgress } from './guest-command.ts';

interface BenchOptions extends OwnParts {
  readonly rounds: number;
  readonly only?: Part;
  readonly json?: boolean;
}

export function addBenchCommand(program: Command): void {
  const command = program
    .command('bench')
    .description(
      "time a stock guest's disk, network and boot, ours and QEMU's own devices by turns",
    )
    .option('--rounds <count>', 'boots of each', parseRounds, 5)
    .addOption(new Option('--only <part>', 'one part of it').choices(PARTS))
    .option('--json', 'print one machine-readable object as the last line');
  addOwnPartsOptions(command).action(bench);
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new InvalidArgumentError('It must be 1 or more.');
  return rounds;
}

async function bench({ rounds, only, json, ...own }: BenchOptions): Promise<void> {
  await withProgress(async ({ signal, step, stop }) => {
    const wanted = only === undefined ? PARTS : [only];
    const parts = await prepareGuestParts({
      ...own,
      network: wanted.includes('network'),
      signal,
      onProgress: step,
    });
    const rows = await guestBench({ parts, rounds, wanted, signal, onProgress: step });
    stop();
    process.stdout.write(
      json
        ? `${JSON.stringify({ machine: machineOf(parts), rows })}\n`
        : `Linux ${parts.kernelRelease} under emulation; boots of each, by turns: ${rounds}\n\n${rowsTable(rows).join('\n')}\n`,
    );
  });
}

/** What the figures depend on. */
function machineOf({ kernelRelease, qemu }: GuestParts) {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    node: process.versions.node,
    qemu: qemu.version,
    guestKernel: kernelRelease,
  };
}
