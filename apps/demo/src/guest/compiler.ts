/** Compiles the programs that run in the guest's user space, statically: the guest has no libraries. */
import { join } from 'node:path';
import { runProgram } from '@viommu/debian-archive';
import { CommandError, messageOf } from '../command-error.ts';
import { LIBRARIES, LOADER, TCC } from './part-recipes.ts';

/** How to call a C compiler. */
export interface Compiler {
  readonly command: string;
  /** Before the source. */
  readonly before: readonly string[];
  /** After the source. */
  readonly after: readonly string[];
}

/** Any compiler with the usual options. */
export function ownCompiler(command: string): Compiler {
  return { command, before: ['-static', '-O1'], after: [] };
}

/**
 * Debian's tcc with musl, started through its own loader, so that it does not matter which libraries the host has.
 *
 * @param directory the part's folder
 */
export function fetchedCompiler(directory: string): Compiler {
  const libraries = join(directory, LIBRARIES);
  const tcc = join(libraries, 'tcc');
  const musl = join(directory, 'usr/lib/x86_64-linux-musl');
  const include = join(directory, 'usr/include');
  return {
    command: join(directory, LOADER),
    before: [
      '--library-path',
      libraries,
      join(directory, TCC),
      // The kernel's headers and musl's define the same macros; tcc warns of each.
      '-w',
      '-static',
      '-nostdlib',
      '-nostdinc',
      `-B${tcc}`,
      `-I${join(tcc, 'include')}`,
      `-I${join(include, 'x86_64-linux-musl')}`,
      `-I${include}`,
      `-I${join(include, 'x86_64-linux-gnu')}`,
      join(musl, 'crt1.o'),
      join(musl, 'crti.o'),
    ],
    after: [join(musl, 'libc.a'), join(tcc, 'libtcc1.a'), join(musl, 'crtn.o')],
  };
}

/**
 * Compiles one C source to a static program.
 *
 * @throws {CommandError} with what the compiler said
 */
export async function compileProgram(
  compiler: Compiler,
  source: string,
  output: string,
): Promise<void> {
  const { command, before, after } = compiler;
  try {
    await runProgram(command, [...before, '-o', output, source, ...after], {});
  } catch (error) {
    throw new CommandError(`${source} cannot be compiled for the guest: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
