/** Where the programs of the bench are: beside this one, once it is bundled. */
import { fileURLToPath } from 'node:url';

export function programPath(name: 'contestant' | 'probe'): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}
