/** `viommu serve`: the devices for people with a QEMU of their own. */
import { accessSync, constants, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceDescription, MachineDescription } from '@viommu/machine';
import { machineTopology, X86_MSI_WINDOWS } from '@viommu/machine';
import { writeViot } from '@viommu/viot';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError, messageOf } from '../command-error.ts';
import { machineArguments, shellText } from '../guest/qemu-arguments.ts';
import { readRulesFile } from '../inject/read-rules-file.ts';
import { checkMachine } from '../machine/check-machine.ts';
import { parseAddress, parseDisk, parseEndpoint } from '../machine/parse-device.ts';
import { parseNetwork } from '../machine/parse-network.ts';
import { startServer } from '../server/server.ts';
import { isEvent, isTrouble, messageLine, statisticsLines } from '../server/server-text.ts';
import type { LivePage } from '../web/live-page.ts';

interface ServeOptions {
  readonly socketDir: string;
  readonly iommu: readonly string[];
  readonly blk: readonly string[];
  readonly net: readonly string[];
  readonly rng: readonly string[];
  readonly engine: readonly string[];
  readonly packed?: boolean;
  readonly bootBypass: string;
  readonly allowUid?: number;
  readonly record?: string;
  readonly inject?: string;
  readonly web?: boolean;
}

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'serve the IOMMU and devices behind it to a QEMU of your own, until SIGINT or SIGTERM',
    )
    .requiredOption(
      '--socket-dir <dir>',
      'folder for the sockets, that of viommu ctl among them, and viot.aml',
    )
    .requiredOption(
      '--iommu <address>',
      'PCI address of a virtio-iommu, such as 00:04.0; can be repeated, and devices are then given ",iommu=1" for the second',
      collect,
    )
    .option(
      '--blk <address=file>',
      'a virtio-blk on a file, with ",ro" to write-protect it; can be repeated',
      collect,
      [],
    )
    .option(
      '--net <address=link>',
      'a virtio-net on stream:PATH, a socket on which passt listens, or tap:NAME; ",mac=MAC" and ",mtu=N" may follow; can be repeated',
      collect,
      [],
    )
    .option('--rng <address>', 'PCI address of a virtio-rng; can be repeated', collect, [])
    .option(
      '--engine <address>',
      'PCI address of a DMA engine, a device of a simulated host that is passed through; can be repeated',
      collect,
      [],
    )
    .option('--packed', 'offer packed virtqueues')
    .option(
      '--boot-bypass <on|off>',
      'whether devices reach memory until the guest driver is up',
      'on',
    )
    .option(
      '--allow-uid <uid>',
      'the user ID of a QEMU that runs as another user; the sockets are then its own, which takes root',
      parseUid,
    )
    .option('--record <file>', 'record what the devices see into a trace, for viommu replay')
    .option(
      '--inject <file>',
      'a JSON list of rules that have the IOMMU fail, for tests of guest drivers; viommu ctl can change them',
    )
    .option('--web', 'show what happens in a page, on this machine alone')
    .action(serve);
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function parseUid(text: string): number {
  const uid = Number(text);
  if (!/^\d+$/.test(text) || uid > 0xffff_fffe)
    throw new InvalidArgumentError('It must be the number of a user.');
  return uid;
}

async function serve(options: ServeOptions): Promise<void> {
  const description = describeMachine(options);
  checkMachine(description);
  checkSocketDir(options.socketDir);
  if (options.inject !== undefined && options.record !== undefined) {
    throw new CommandError('--inject: what it does would not be in the trace of --record');
  }
  const rules = options.inject === undefined ? [] : readRulesFile('--inject', options.inject);
  const page = options.web
    ? await (await import('../web/live-page.ts')).serveLivePage()
    : undefined;
  try {
    await serveMachine(description, rules, options, page);
  } finally {
    await page?.close('viommu serve has ended');
  }
}

async function serveMachine(
  description: MachineDescription,
  rules: readonly unknown[],
  options: ServeOptions,
  page: LivePage | undefined,
): Promise<void> {
  const viot = join(options.socketDir, 'viot.aml');
  // From here on a signal must not end the process: sockets would stay behind, whoever sends it as soon as they appear.
  const signal = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const server = await startServer(
    {
      machine: description,
      socketDir: options.socketDir,
      checkIsolation: false,
      control: true,
      rules,
      ...(options.allowUid === undefined ? {} : { allowUid: options.allowUid }),
      ...(options.record === undefined
        ? {}
        : { record: { path: options.record, title: 'viommu serve', versions: {} } }),
    },
    (message) => {
      if (!isEvent(message)) return;
      (isTrouble(message) ? process.stderr : process.stdout).write(`${messageLine(message)}\n`);
    },
    { watcher: page?.watcher },
  );
  try {
    writeFileSync(viot, writeViot(machineTopology(description)));
    process.stdout.write(
      `serving; start QEMU (10.1 or newer) with your kernel and\n\n${shellText(machineArguments({ functions: server.sockets, viotFile: viot, bootBypass: options.bootBypass === 'on' }))}\n\n`,
    );
    if (page !== undefined) process.stdout.write(`the page is at ${page.url}\n\n`);
    await Promise.race([signal, failed(server.failure)]);
  } finally {
    rmSync(viot, { force: true });
    const statistics = await server.stop();
    process.stdout.write(`${statisticsLines(statistics).join('\n')}\n`);
  }
}

function failed(failure: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    failure.addEventListener('abort', () => reject(failure.reason));
    if (failure.aborted) reject(failure.reason);
  });
}

function describeMachine(options: ServeOptions): MachineDescription {
  if (options.bootBypass !== 'on' && options.bootBypass !== 'off') {
    throw new CommandError(`--boot-bypass: '${options.bootBypass}' is neither on nor off`);
  }
  const devices: DeviceDescription[] = options.blk.map((text) => parseDisk('--blk', text));
  devices.push(...options.net.map((text) => parseNetwork('--net', text)));
  for (const kind of ['rng', 'engine'] as const) {
    devices.push(...options[kind].map((text) => ({ kind, ...parseEndpoint(`--${kind}`, text) })));
  }
  return {
    iommus: options.iommu.map((text) => ({
      place: { bus: 'pci', bdf: parseAddress('--iommu', text) },
      bootBypass: options.bootBypass === 'on',
    })),
    devices,
    packed: options.packed ?? false,
    msiWindows: X86_MSI_WINDOWS,
  };
}

function checkSocketDir(folder: string): void {
  try {
    const status = statSync(folder, { throwIfNoEntry: false });
    if (status === undefined)
      throw new CommandError(`--socket-dir: ${folder} is not there; make that folder first`);
    if (!status.isDirectory()) throw new CommandError(`--socket-dir: ${folder} is not a folder`);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `--socket-dir: ${messageOf(error)}; make a folder that you may write to`,
      { cause: error },
    );
  }
}
