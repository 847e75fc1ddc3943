/** Compiles the programs that run in the guest's user space, statically: the guest has no libraries. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '@viommu/debian-archive';
import { CommandError, messageOf } from '../command-error.ts';
import { packageFile } from '../package-file.ts';
import { COMPILED, type CompiledArchitecture, LIBRARIES, LOADER } from './part-recipes.ts';
import { completePltJumps } from './plt-jumps.ts';

/** How to call a C compiler. */
export interface Compiler {
  readonly command: string;
  /** Before the source. */
  readonly before: readonly string[];
  /** After the source. */
  readonly after: readonly string[];
  /** What is left to be done in a program's bytes. */
  readonly finish?: (program: Uint8Array) => void;
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
export function fetchedCompiler(
  directory: string,
  architecture: CompiledArchitecture = 'x86_64',
): Compiler {
  const names = COMPILED[architecture];
  const libraries = join(directory, LIBRARIES);
  const tcc = join(libraries, 'tcc');
  const musl = join(directory, 'usr/lib', names.musl);
  const include = join(directory, 'usr/include');
  return {
    command: join(directory, LOADER),
    before: [
      '--library-path',
      libraries,
      join(directory, names.tcc),
      // The kernel's headers and musl's define the same macros; tcc warns of each.
      '-w',
      '-static',
      '-nostdlib',
      '-nostdinc',
      `-B${tcc}`,
      `-I${join(tcc, 'include')}`,
      `-I${join(include, names.musl)}`,
      `-I${include}`,
      `-I${join(include, names.headers)}`,
      join(musl, 'crt1.o'),
      join(musl, 'crti.o'),
    ],
    after: [
      ...names.sources.map(packageFile),
      ...[join(musl, 'libc.a'), join(tcc, names.runtime), join(musl, 'crtn.o')],
    ],
    ...(architecture === 'i386' ? { finish: completePltJumps } : {}),
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
  const { command, before, after, finish } = compiler;
  try {
    await runProgram(command, [...before, '-o', output, source, ...after], {});
  } catch (error) {
    throw new CommandError(`${source} cannot be compiled for the guest: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (finish === undefined) return;
  const program = readFileSync(output);
  finish(program);
  writeFileSync(output, program);
}
