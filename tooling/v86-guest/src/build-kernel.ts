/** Builds the kernel from Debian's source package. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type RunProgramOptions, runProgram } from '@viommu/debian-archive';
import { optionsThatDiffer } from './config-check.ts';
import { GuestError, messageOf } from './guest-error.ts';
import { KERNEL_CONFIG } from './kernel-config.ts';

export interface BuildKernelOptions {
  /** Where `linux-source-VERSION` is unpacked. */
  readonly root: string;
  /** An empty folder, for the tree. */
  readonly folder: string;
  /** Where the build tools are found. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

export interface BuiltKernel {
  /** Path of the bzImage. */
  readonly image: string;
  /** Path of the whole configuration. */
  readonly config: string;
  /** Path of the list of what would be modules, and is built in. */
  readonly builtIn: string;
  /** What the build says that `uname -r` will say. */
  readonly release: string;
  /** The compiler's first line about itself. */
  readonly compiler: string;
}

/** The variables on the command line go before those of the user's environment. */
const MAKE_ARGUMENTS = ['ARCH=i386', 'CROSS_COMPILE=', 'LOCALVERSION='];
/** Of a make that may have started us. */
const NO_FLAGS = { MAKEFLAGS: '' };
/** The same compiler makes the same bytes, which say nothing of the machine that they were made on. */
const ANONYMOUS = {
  KBUILD_BUILD_USER: 'viommu',
  KBUILD_BUILD_HOST: 'viommu',
  KBUILD_BUILD_VERSION: '1',
  KBUILD_BUILD_TIMESTAMP: '1970-01-01 00:00:00 UTC',
};
/** How many files are compiled, to say how far it is. */
const ABOUT_FILES = 1100;
const MILLISECONDS_BETWEEN_LINES = 10_000;

/** @throws {GuestError} when it cannot be built, with what is wrong */
export async function buildKernel(options: BuildKernelOptions): Promise<BuiltKernel> {
  const { folder, signal, onProgress } = options;
  const environment = { ...NO_FLAGS, ...ANONYMOUS, ...options.environment };
  const running = { environment, ...(signal ? { signal } : {}) };
  const make = (args: readonly string[], more: RunProgramOptions) =>
    runProgram('make', ['-C', folder, ...MAKE_ARGUMENTS, ...args], { ...running, ...more });
  try {
    onProgress("unpacking Linux' source");
    mkdirSync(folder);
    await runProgram(
      'tar',
      ['-xf', sourceArchive(options.root), '-C', folder, '--strip-components=1'],
      running,
    );
    onProgress('configuring the kernel');
    const wanted = join(folder, 'viommu.config');
    writeFileSync(wanted, KERNEL_CONFIG);
    await make(['allnoconfig'], { environment: { ...environment, KCONFIG_ALLCONFIG: wanted } });
    const config = join(folder, '.config');
    checkConfig(readFileSync(config, 'utf8'));
    const jobs = availableParallelism();
    onProgress(`compiling the kernel with ${jobs} processors; this takes minutes`);
    await make(['bzImage', `-j${jobs}`], { onOutput: countFiles(onProgress) });
    return {
      image: join(folder, 'arch/x86/boot/bzImage'),
      config,
      builtIn: join(folder, 'modules.builtin'),
      release: readFileSync(join(folder, 'include/config/kernel.release'), 'utf8').trim(),
      compiler: (await runProgram('gcc', ['--version'], running)).split('\n', 1)[0]!,
    };
  } catch (error) {
    if (signal?.aborted || error instanceof GuestError) throw error;
    throw new GuestError(`the kernel cannot be built: ${messageOf(error)}`, { cause: error });
  }
}

function sourceArchive(root: string): string {
  const directory = join(root, 'usr/src');
  const name = readdirSync(directory).find((file) => /^linux-source-.*\.tar\.xz$/.test(file));
  if (name === undefined) throw new GuestError("Debian's package of Linux' source has none");
  return join(directory, name);
}

/** @throws {GuestError} with the options that are not as they were asked for */
function checkConfig(config: string): void {
  const names = optionsThatDiffer(KERNEL_CONFIG, config);
  if (names.length > 0) {
    throw new GuestError(
      `this Linux does not take these options as the recipe has them: ${names.join(', ')}; change kernel-config.ts`,
    );
  }
}

/** Takes what make prints, and reports now and then how far it is. */
export function countFiles(
  onProgress: (text: string) => void,
  now: () => number = Date.now,
): (text: string) => void {
  const began = now();
  let reported = began;
  let files = 0;
  return (text) => {
    files += text.match(/^ {2}(?:CC|AS) /gm)?.length ?? 0;
    if (now() - reported < MILLISECONDS_BETWEEN_LINES) return;
    reported = now();
    const seconds = Math.round((reported - began) / 1000);
    onProgress(`compiling the kernel: ${files} of about ${ABOUT_FILES} files after ${seconds} s`);
  };
}
