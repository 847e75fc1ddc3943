/** How to call passt, which is the network of a guest: user mode, no privileges, frames over a UNIX socket. */
import { join } from 'node:path';
import { LIBRARIES, LOADER, PASST } from './part-recipes.ts';

export interface Passt {
  readonly command: string;
  /** Before passt's own arguments. */
  readonly arguments: readonly string[];
}

/** Any passt of the user's. */
export function ownPasst(command: string): Passt {
  return { command, arguments: [] };
}

/**
 * Debian's, started through its own loader, so that it does not matter which C library the host has.
 *
 * @param directory the part's folder
 */
export function fetchedPasst(directory: string): Passt {
  return {
    command: join(directory, LOADER),
    arguments: ['--library-path', join(directory, LIBRARIES), join(directory, PASST)],
  };
}
