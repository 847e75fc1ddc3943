/** `viommu bench`: how fast a guest reads from our disk behind our IOMMU, beside QEMU's own devices in the same run. */
import { type Command, InvalidArgumentError } from 'commander';
import ora from 'ora';
import { figuresTable } from '../bench/figures.ts';
import { guestBench } from '../bench/guest-bench.ts';
import { CommandError } from '../command-error.ts';
import { prepareGuestParts } from '../guest/guest-parts.ts';

interface BenchOptions {
  readonly rounds: number;
  readonly json?: boolean;
  readonly qemu?: string;
  readonly kernel?: string;
  readonly modules?: string;
}

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description("time a stock guest's disk reads, ours and QEMU's own devices by turns")
    .option('--rounds <count>', 'boots of each', parseRounds, 5)
    .option('--json', 'print the figures as one machine-readable object')
    .option('--qemu <path>', 'your own qemu-system-x86_64, 10.1 or newer')
    .option('--kernel <path>', 'your own kernel image')
    .option('--modules <dir>', "that kernel's module tree (default: /lib/modules/RELEASE)")
    .action(bench);
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new InvalidArgumentError('It must be 1 or more.');
  return rounds;
}

async function bench(options: BenchOptions): Promise<void> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const spinner = ora({ stream: process.stderr, discardStdin: false });
  const onProgress = (text: string): void => {
    if (spinner.isEnabled) spinner.start(text);
    else process.stderr.write(`${text}\n`);
  };
  try {
    const { signal } = abort;
    const parts = await prepareGuestParts({ ...options, signal, onProgress });
    const figures = await guestBench({ parts, rounds: options.rounds, signal, onProgress });
    spinner.stop();
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ kernel: parts.kernelRelease, figures })}\n`
        : `Linux ${parts.kernelRelease} under emulation, ${options.rounds} boots each, by turns\n\n${figuresTable(figures).join('\n')}\n`,
    );
  } catch (error) {
    if (abort.signal.aborted) throw new CommandError('interrupted', { exitCode: 130 });
    throw error;
  } finally {
    spinner.stop();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
