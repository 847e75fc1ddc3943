/** Debian's iasl and dtc from the cache, or the reason why there are none: the host's may be too old to know the VIOT. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cacheDirectory, readPart } from '@viommu/debian-archive';
import { fetchParts } from '../src/guest/fetch-parts.ts';
import { DTC, IASL, LIBRARIES, LOADER } from '../src/guest/part-recipes.ts';

const cache = cacheDirectory();
const part = join(cache, 'table-tools');

/** In CI the tests must run, so what is missing is fetched; elsewhere the cache decides. */
export const hasTableTools =
  readPart(part) !== undefined || (Boolean(process.env.CI) && (await fetchTools()));
if (!hasTableTools) {
  process.stderr.write(
    'tests with iasl and dtc are skipped: CI=true fetches them into the cache\n',
  );
}

async function fetchTools(): Promise<true> {
  await fetchParts(['table-tools'], { cache });
  return true;
}

/** What a program printed. */
interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

export function iasl(directory: string, ...args: string[]): Printed {
  return run(IASL, directory, args);
}

export function dtc(directory: string, ...args: string[]): Printed {
  return run(DTC, directory, args);
}

/** Started through its own loader, so that it does not matter which libraries the host has. */
function run(program: string, directory: string, args: readonly string[]): Printed {
  const loader = ['--library-path', join(part, LIBRARIES), join(part, program)];
  const result = spawnSync(join(part, LOADER), [...loader, ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (result.status === 0) return result;
  throw new Error(`${program} ${args.join(' ')}: ${result.stderr}${result.stdout}`);
}
