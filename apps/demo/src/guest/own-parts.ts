/** Checks the parts of a guest that the user brings. */
import { existsSync, readFileSync } from 'node:fs';
import { CommandError, messageOf } from '../command-error.ts';
import { ARCHITECTURES, type Architecture } from './architecture.ts';
import { elfMachine, isStatic } from './elf.ts';
import { kernelRelease } from './kernel-release.ts';

/**
 * The modules that go with a kernel.
 *
 * @param modules the user's; `/lib/modules/RELEASE` when not given
 * @throws {CommandError} when the kernel is none, or its modules are not there
 */
export function ownModules(
  kernel: string,
  modules: string | undefined,
  architecture: Architecture,
): string {
  const directory = modules ?? `/lib/modules/${kernelRelease(kernel, architecture)}`;
  if (!existsSync(directory)) {
    throw new CommandError(
      modules === undefined
        ? `the modules of ${kernel} are not in ${directory}; pass --modules`
        : `--modules: '${modules}' is not there`,
    );
  }
  return directory;
}

/**
 * A busybox that needs libraries would not start in the guest, which has none.
 *
 * @throws {CommandError} when it would not start in the guest
 */
export function checkBusybox(path: string, architecture: Architecture): void {
  let content: Uint8Array;
  let fits: boolean;
  try {
    content = readFileSync(path);
    fits = isStatic(content);
  } catch (error) {
    throw new CommandError(`the busybox ${path} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (elfMachine(content) !== ARCHITECTURES[architecture].elfMachine) {
    throw new CommandError(`${path} is not for ${architecture}, which the guest is`);
  }
  if (!fits) {
    throw new CommandError(`${path} needs libraries; pass a busybox that is linked statically`);
  }
}
