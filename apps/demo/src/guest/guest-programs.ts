/** The programs of this host that some guests need: a C compiler that makes a program for them, and passt, their network. */
import { join } from 'node:path';
import type { Program } from '@viommu/debian-archive';
import { type Compiler, fetchedCompiler, ownCompiler } from './compiler.ts';
import { compilerPart, isCompiled, type ProgramChoice } from './part-choice.ts';
import { LIBRARIES, LOADER, PASST } from './part-recipes.ts';

export interface GuestPrograms {
  /** There when it was asked for. */
  readonly compiler?: Compiler;
  /** There when a network was asked for. */
  readonly passt?: Program;
}

/** @param cache an absolute path, where the parts are that have not to be the user's own */
export function guestPrograms(choice: ProgramChoice, cache: string): GuestPrograms {
  const { compiler, network, passt } = choice;
  return {
    ...(compiler ? { compiler: compilerOf(choice, cache) } : {}),
    ...(network ? { passt: programOf(passt, join(cache, 'passt'), PASST) } : {}),
  };
}

function compilerOf({ architecture = 'x86_64', cc }: ProgramChoice, cache: string): Compiler {
  if (cc !== undefined) return ownCompiler(cc);
  if (!isCompiled(architecture)) throw new Error(`there is no compiler for ${architecture}`);
  return fetchedCompiler(join(cache, compilerPart(architecture)), architecture);
}

/**
 * The user's own program, or one of a part, started through its own loader and libraries.
 *
 * @param path in the part
 */
export function programOf(own: string | undefined, directory: string, path: string): Program {
  if (own !== undefined) return { command: own, arguments: [] };
  return {
    command: join(directory, LOADER),
    arguments: ['--library-path', join(directory, LIBRARIES), join(directory, path)],
  };
}
