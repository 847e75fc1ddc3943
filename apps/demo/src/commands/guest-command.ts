/** What the commands that boot a guest have in common: the user's own parts, a line of progress, and a clean end at a signal. */
import { type Command, Option } from 'commander';
import { CommandError } from '../command-error.ts';
import type { GuestPartsOptions } from '../guest/guest-parts.ts';

/** The parts of a guest that the user brings. */
export type OwnParts = Pick<
  GuestPartsOptions,
  'qemu' | 'kernel' | 'modules' | 'busybox' | 'cc' | 'dtc' | 'passt'
>;

/** Which of Debian's guests. */
export type GuestChoice = Pick<GuestPartsOptions, 'linux' | 'pages'> & {
  readonly arch: GuestPartsOptions['architecture'];
};

export function addGuestChoiceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--arch <name>', "the guest's architecture")
        .choices(['x86_64', 'arm64'])
        .default('x86_64'),
    )
    .addOption(
      new Option(
        '--linux <suite>',
        "Debian's kernel: of its stable release, or the newer one of its backports (default: stable)",
      ).choices(['stable', 'backports']),
    )
    .addOption(
      new Option(
        '--pages <size>',
        "what the kernel's pages are made of, for arm64 (default: 4k)",
      ).choices(['4k', '16k']),
    );
}

export function addOwnPartsOptions(command: Command): Command {
  return command
    .option('--qemu <path>', 'your own QEMU for that architecture, 10.1 or newer')
    .option('--kernel <path>', 'your own kernel image')
    .option('--modules <dir>', "that kernel's module tree (default: /lib/modules/RELEASE)")
    .option('--busybox <path>', 'your own statically linked busybox')
    .option('--dtc <path>', 'your own device tree compiler, for an arm64 guest')
    .option('--cc <path>', 'your own C compiler, for programs that run in the guest')
    .option('--passt <path>', 'your own passt, for a guest with a network');
}

export interface Progress {
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Says what is being done now. */
  readonly step: (text: string) => void;
  /** Shows something in passing, on a terminal only. */
  readonly glimpse: (text: string) => void;
  /** Takes the line away for what is printed next. */
  readonly clear: () => void;
  /** No line from here on. */
  readonly stop: () => void;
}

/** @throws {CommandError} `interrupted` when `run` fails after a signal; else what `run` throws */
export async function withProgress(run: (progress: Progress) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  // Loaded here, since it takes as long as Node.js itself, and a command line that is refused needs none.
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: process.stderr, discardStdin: false });
  const glimpse = (text: string): void => {
    if (spinner.isEnabled) spinner.start(text);
  };
  try {
    await run({
      signal: abort.signal,
      step: (text) => {
        if (spinner.isEnabled) glimpse(text);
        else process.stderr.write(`${text}\n`);
      },
      glimpse,
      clear: () => spinner.clear(),
      stop: () => spinner.stop(),
    });
  } catch (error) {
    if (abort.signal.aborted) throw new CommandError('interrupted', { exitCode: 130 });
    throw error;
  } finally {
    spinner.stop();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
