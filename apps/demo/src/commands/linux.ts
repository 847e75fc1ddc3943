/** `viommu linux`: boots a stock guest whose disk is behind our IOMMU, and says whether all of it held. */
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { CommandError } from '../command-error.ts';
import type { GuestRun } from '../guest/follow-guest.ts';
import { judge, type LinuxJudgement } from '../linux/linux-result.ts';
import { SCENARIOS } from '../linux/scenarios/scenarios.ts';
import type { ServerMessage, ServerStatistics } from '../server/server-messages.ts';
import { isEvent, isTrouble, messageLine, statisticsLines } from '../server/server-text.ts';
import { recordingOf } from '../trace/recording-of.ts';
import type { LivePage } from '../web/live-page.ts';
import { chooseGuest, type GuestOptions } from './choose-guest.ts';
import {
  addGuestChoiceOptions,
  addOwnPartsOptions,
  type Progress,
  withProgress,
} from './guest-command.ts';

interface LinuxOptions extends GuestOptions {
  readonly scenario: string;
  readonly json?: boolean;
  readonly append?: string;
  readonly timeout?: string;
  readonly verbose?: boolean;
  readonly record?: string;
  readonly web?: boolean;
}

/** v86 does all of it in one thread. */
const TIMEOUT_SECONDS = { qemu: 180, v86: 600 };

export function addLinuxCommand(program: Command): void {
  const command = program
    .command('linux')
    .description('boot a stock Linux guest under a stock QEMU, with devices behind our IOMMU')
    .addOption(
      new Option(
        '--scenario <name>',
        SCENARIOS.map(({ name, summary }) => `${name}: ${summary}`).join('; '),
      )
        .choices(SCENARIOS.map(({ name }) => name))
        .default(SCENARIOS[0]!.name),
    )
    .addOption(
      new Option(
        '--vmm <name>',
        'what the guest runs in: QEMU, or v86 in this process, without QEMU, with a kernel that is built for it',
      )
        .choices(['qemu', 'v86'])
        .default('qemu'),
    )
    .option('--json', 'print one machine-readable object as the last line');
  addOwnPartsOptions(addGuestChoiceOptions(command))
    .option('--append <text>', 'more for the kernel command line, such as iommu.strict=1')
    .option(
      '--timeout <seconds>',
      `end the guest after this time (default: ${TIMEOUT_SECONDS.qemu}, in v86 ${TIMEOUT_SECONDS.v86})`,
    )
    .option('--record <file>', 'record what the devices see into a trace, for viommu replay')
    .option('--web', 'show what happens in a page, which is there while the guest runs')
    .option('--verbose', "show the guest's serial console")
    .action(linux);
}

async function linux(options: LinuxOptions): Promise<void> {
  const timeoutSeconds = Number(
    options.timeout ?? TIMEOUT_SECONDS[options.vmm === 'v86' ? 'v86' : 'qemu'],
  );
  if (!(timeoutSeconds > 0))
    throw new CommandError(`--timeout: '${options.timeout}' is not a number of seconds`);
  const page = options.web
    ? await (await import('../web/live-page.ts')).serveLivePage()
    : undefined;
  try {
    await withProgress((progress) => bootAndJudge(options, timeoutSeconds, progress, page));
  } finally {
    await page?.close('the guest has ended');
  }
}

async function bootAndJudge(
  options: LinuxOptions,
  timeoutSeconds: number,
  progress: Progress,
  page: LivePage | undefined,
): Promise<void> {
  const { signal } = progress;
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario)!;
  if (options.record !== undefined && scenario.machine.stray !== undefined) {
    throw new CommandError(
      `--record: what a device does that goes astray would not be in the trace of scenario ${scenario.name}`,
    );
  }
  const { ranIn, createMachine } = await chooseGuest(options, scenario, progress);
  if (page !== undefined) tellOfPage(page, options, progress);
  progress.step('starting the server and the guest');
  const messages: ServerMessage[] = [];
  const machine = await createMachine({
    ...scenario.machine,
    ...(options.record === undefined
      ? {}
      : { record: recordingOf(options.record, scenario.summary, ranIn) }),
    ...(page === undefined ? {} : { watcher: page.watcher }),
    onMessage: (message) => {
      messages.push(message);
      if (options.json || !isEvent(message)) return;
      progress.clear();
      if (isTrouble(message)) process.stderr.write(`  ${pc.red(messageLine(message))}\n`);
      else process.stdout.write(`  ${pc.cyan(messageLine(message))}\n`);
    },
  });
  try {
    const run = await machine.boot({
      steps: scenario.steps(machine.download),
      append: [...(scenario.kernelParameters ?? []), ...(options.append?.split(' ') ?? [])],
      timeoutSeconds,
      signal,
      onFact: (fact) => progress.glimpse(`guest: ${fact.slice(0, 100)}`),
      ...(options.verbose && !options.json
        ? { onLine: (line: string) => process.stdout.write(`  ${pc.dim(line)}\n`) }
        : {}),
    });
    signal.throwIfAborted();
    progress.stop();
    const statistics = await machine.stop();
    const { disks, download } = machine;
    const judgement = judge(ranIn, scenario, { run, statistics, messages, disks, download });
    if (options.json) process.stdout.write(`${JSON.stringify(judgement.result)}\n`);
    else print(run, judgement, statistics);
    if (!judgement.result.ok) process.exitCode = 1;
  } finally {
    await machine.close();
  }
}

/** On stderr when stdout is for a program. */
function tellOfPage({ url }: LivePage, { json, record }: LinuxOptions, progress: Progress): void {
  const kept =
    record === undefined
      ? '--record FILE keeps what it shows, for viommu replay FILE --web'
      : `viommu replay ${record} --web shows it again`;
  progress.clear();
  (json ? process.stderr : process.stdout).write(
    `the page is at ${url}\nwhile the guest runs; ${kept}\n`,
  );
}

function print(run: GuestRun, judgement: LinuxJudgement, statistics: ServerStatistics): void {
  const { result, checks } = judgement;
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
  lines.push('', pc.bold(`Linux ${result.kernel} under ${result.vmm}, ${result.seconds} s`));
  for (const line of statisticsLines(statistics)) lines.push(`  ${line}`);
  lines.push('');
  const [title, ...told] = judgement.lines;
  if (title !== undefined) lines.push(pc.bold(title), ...told, '');
  for (const { holds, text } of checks)
    lines.push(`  ${holds ? pc.green('ok  ') : pc.red('FAIL')} ${text}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
