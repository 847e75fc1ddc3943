/** The command `pnpm guest:v86`. */
import { statSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { messageOf } from './guest-error.ts';
import { prepareV86Guest, type V86GuestParts, v86GuestIsCached } from './guest-parts.ts';
import { makePageFolder } from './page-folder.ts';

const PREFIX = 'viommu: ';
/** By the signals that end it. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const controller = new AbortController();
for (const [signal, exitCode] of Object.entries(EXIT_CODES)) {
  process.once(signal, () => {
    process.exitCode = exitCode;
    controller.abort();
  });
}

function say(text: string): void {
  process.stderr.write(`${PREFIX}${text}\n`);
}

function summary({ directory, kernel, kernelRelease, busybox, pageBytes }: V86GuestParts): string {
  return `${directory}
  Linux ${kernelRelease}: ${statSync(kernel).size} bytes; busybox: ${statSync(busybox).size}; all that a page fetches of them: ${pageBytes}
`;
}

interface Options {
  readonly force: boolean;
  readonly page?: string;
  readonly tree?: string;
}

async function run({ force, page, tree }: Options): Promise<void> {
  if ((page === undefined) !== (tree === undefined)) {
    say('--page and --tree go together');
    process.exitCode = 1;
    return;
  }
  const began = Date.now();
  const isCached = !force && v86GuestIsCached();
  try {
    const parts = await prepareV86Guest({ force, signal: controller.signal, onProgress: say });
    say(
      isCached
        ? 'the guest is in the cache; --force makes it anew'
        : `the guest is made, in ${Math.round((Date.now() - began) / 1000)} s`,
    );
    process.stdout.write(summary(parts));
    if (page === undefined || tree === undefined) return;
    const bytes = makePageFolder(parts, tree, page);
    process.stdout.write(`${page}: ${bytes} bytes for a page to fetch\n`);
  } catch (error) {
    if (controller.signal.aborted) {
      say('ended by a signal; nothing is left of what was made');
      return;
    }
    say(messageOf(error));
    process.exitCode = 1;
  }
}

const program = new Command('pnpm guest:v86')
  .description(
    'Makes the Linux guest for v86 of Debian packages, in the cache: kernel, busybox and BIOS. Takes minutes, once.',
  )
  .option('--force', 'make it of the newest packages, even when it is in the cache', false)
  .option('--page <folder>', 'write what a page fetches into this folder, too')
  .option('--tree <folder>', 'with --page: what its initial file system has besides busybox')
  .configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, PREFIX)),
  })
  .exitOverride()
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}
