/** `viommu linux`: boots a stock guest whose disk is behind our IOMMU, and says whether all of it held. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { CommandError } from '../command-error.ts';
import { prepareGuestParts } from '../guest/guest-parts.ts';
import type { GuestStep } from '../guest/guest-steps.ts';
import type { GuestRun } from '../guest/run-guest.ts';
import { sha256OfRange } from '../linux/disk-image.ts';
import { createLinuxMachine, DEFAULT_DISK_BYTES } from '../linux/linux-machine.ts';
import { type Check, judge, type LinuxResult } from '../linux/linux-result.ts';
import type { ServerStatistics } from '../server/server-messages.ts';
import { messageLine, statisticsLines } from '../server/server-text.ts';
import { addOwnPartsOptions, type OwnParts, type Progress, withProgress } from './guest-command.ts';

interface LinuxOptions extends OwnParts {
  readonly json?: boolean;
  readonly append?: string;
  readonly timeout: string;
  readonly verbose?: boolean;
}

const MEBIBYTE = 1 << 20;
const WRITTEN = { offset: 64 * MEBIBYTE, length: 16 * MEBIBYTE };
const STEPS: readonly GuestStep[] = [
  { step: 'report' },
  { step: 'write', disk: 'vda', ...WRITTEN },
  { step: 'read', disk: 'vda', offset: 0, length: DEFAULT_DISK_BYTES },
  { step: 'rng' },
];

export function addLinuxCommand(program: Command): void {
  const command = program
    .command('linux')
    .description('boot a stock Linux guest under a stock QEMU, with its disk behind our IOMMU')
    .option('--json', 'print one machine-readable object as the last line');
  addOwnPartsOptions(command)
    .option('--append <text>', 'more for the kernel command line, such as iommu.strict=1')
    .option('--timeout <seconds>', 'end the guest after this time', '180')
    .option('--verbose', "show the guest's serial console")
    .action(linux);
}

async function linux(options: LinuxOptions): Promise<void> {
  const timeoutSeconds = Number(options.timeout);
  if (!(timeoutSeconds > 0))
    throw new CommandError(`--timeout: '${options.timeout}' is not a number of seconds`);
  await withProgress((progress) => bootAndJudge(options, timeoutSeconds, progress));
}

async function bootAndJudge(
  options: LinuxOptions,
  timeoutSeconds: number,
  progress: Progress,
): Promise<void> {
  const { signal } = progress;
  const parts = await prepareGuestParts({ ...options, signal, onProgress: progress.step });
  progress.step('starting the server and the guest');
  const machine = await createLinuxMachine({
    parts,
    onMessage: (message) => {
      progress.clear();
      if (!options.json) process.stdout.write(`  ${pc.cyan(messageLine(message))}\n`);
    },
  });
  let statistics: ServerStatistics | undefined;
  try {
    const run = await machine.boot({
      steps: STEPS,
      append: options.append?.split(' ') ?? [],
      timeoutSeconds,
      signal,
      onFact: (fact) => progress.glimpse(`guest: ${fact.slice(0, 100)}`),
      ...(options.verbose && !options.json
        ? { onLine: (line: string) => process.stdout.write(`  ${pc.dim(line)}\n`) }
        : {}),
    });
    signal.throwIfAborted();
    progress.stop();
    const [disk = ''] = machine.disks;
    const host = {
      whole: sha256OfRange(disk, 0, DEFAULT_DISK_BYTES),
      written: sha256OfRange(disk, WRITTEN.offset, WRITTEN.length),
    };
    statistics = await machine.close();
    const { result, checks } = judge(parts, run, host, statistics);
    print(options.json ?? false, run, checks, result, statistics);
    if (!result.ok) process.exitCode = 1;
  } finally {
    if (statistics === undefined) await machine.close();
  }
}

function print(
  json: boolean,
  run: GuestRun,
  checks: readonly Check[],
  result: LinuxResult,
  statistics: ServerStatistics,
): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const lines: string[] = [];
  const [boot] = run.report.boots;
  lines.push('', pc.bold("The guest's own log about the IOMMU"));
  for (const line of boot?.log.filter((text) => /iommu|virtio|viot/i.test(text)) ?? [])
    lines.push(`  ${line}`);
  lines.push('', pc.bold("The guest's IOMMU groups"));
  for (const { group, type, devices, reserved } of boot?.iommuGroups ?? []) {
    lines.push(`  group ${group} (${type}): ${devices.join(' ')}`);
    for (const region of reserved) {
      lines.push(
        `    reserved 0x${region.start.toString(16)}..0x${region.end.toString(16)} ${region.type}`,
      );
    }
  }
  if (!result.ok)
    lines.push(
      '',
      pc.bold('The last lines of the console'),
      ...run.tail.map((line) => `  ${line}`),
    );
  lines.push('', pc.bold(`Linux ${result.kernel} under QEMU ${result.qemu}, ${result.seconds} s`));
  for (const line of statisticsLines(statistics)) lines.push(`  ${line}`);
  lines.push('');
  for (const { holds, text } of checks)
    lines.push(`  ${holds ? pc.green('ok  ') : pc.red('FAIL')} ${text}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
