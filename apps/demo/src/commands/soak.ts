/** `viommu soak`: mixed load for some time, and whether heap, descriptors and latency stayed flat. */
import { type Command, InvalidArgumentError } from 'commander';
import { runSoak } from '../endurance/soak.ts';
import { prepareGuestParts } from '../guest/guest-parts.ts';
import { addOwnPartsOptions, type OwnParts, withProgress } from './guest-command.ts';

interface SoakOptions extends OwnParts {
  readonly minutes: number;
}

export function addSoakCommand(program: Command): void {
  const command = program
    .command('soak')
    .description(
      'guests that use disk and network, attach devices anew and restart; heap, descriptors and latency must stay flat',
    )
    .option('--minutes <count>', 'how long, about', parseMinutes, 30);
  addOwnPartsOptions(command).action(soak);
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes >= 1 && minutes <= 10_000))
    throw new InvalidArgumentError('It must be a number of minutes, 1 or more.');
  return minutes;
}

async function soak({ minutes, ...own }: SoakOptions): Promise<void> {
  await withProgress(async ({ signal, step, clear, stop }) => {
    const parts = await prepareGuestParts({ ...own, network: true, signal, onProgress: step });
    step(`about ${minutes} minutes`);
    const { checks, rounds, sessions, fetchedBytes } = await runSoak({
      parts,
      minutes,
      signal,
      onInterval: (text) => {
        clear();
        process.stdout.write(`${text}\n`);
      },
    });
    stop();
    for (const { holds, text } of checks)
      process.stdout.write(`${holds ? 'ok  ' : 'FAIL'} ${text}\n`);
    const failed = checks.filter(({ holds }) => !holds).length;
    process.stdout.write(
      `${failed === 0 ? 'flat' : `${failed} of ${checks.length} checks failed`}: ${sessions} QEMUs, each restarted once, ${rounds} rounds, ${(fetchedBytes / 1e6).toFixed(0)} MB fetched\n`,
    );
    if (failed > 0) process.exitCode = 1;
  });
}
