/** Programs that are built once: kept in the cache by a hash of all that they are made of. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type PackageRecord, readPart, writePart } from '@viommu/debian-archive';

export interface BuildInputs {
  /** Texts of the sources by their paths. */
  readonly sources: ReadonlyMap<string, string>;
  /** Versions of compilers, and their options. */
  readonly toolchain: readonly string[];
  readonly packages: readonly PackageRecord[];
}

export interface CachedBuild extends BuildInputs {
  readonly cache: string;
  readonly name: string;
}

const PROGRAM = 'contestant';

/** The texts of files, and of those in folders, by their paths in `directory`. */
export function sourcesIn(directory: string, names: readonly string[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (const name of names) {
    const path = join(directory, name);
    const files = statSync(path).isDirectory()
      ? readdirSync(path).map((file) => join(name, file))
      : [name];
    for (const file of files) sources.set(file, readFileSync(join(directory, file), 'utf8'));
  }
  return sources;
}

/** @param processor the programs are built for the processor that they are built on */
export function buildKey(inputs: BuildInputs, processor = cpus()[0]?.model ?? ''): string {
  const { sources, toolchain, packages } = inputs;
  const byText = [...sources].sort(([left], [right]) => (left < right ? -1 : 1));
  const exact = packages.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}`).sort();
  const text = JSON.stringify([byText, toolchain, exact, processor]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/**
 * The program of these inputs, built when it is not there; then those of other inputs are removed.
 *
 * @param build is given an empty folder, which is removed in the end, and the path to write the program to
 * @returns the path of the program
 */
export async function cachedBuild(
  { cache, name, ...inputs }: CachedBuild,
  build: (folder: string, output: string) => Promise<void>,
): Promise<string> {
  const prefix = `peer-program-${name}-`;
  const part = `${prefix}${buildKey(inputs)}`;
  const directory = join(cache, part);
  if (readPart(directory) === undefined) {
    await writePart(directory, async (folder) => {
      const work = join(folder, 'work');
      mkdirSync(work);
      await build(work, join(folder, PROGRAM));
      rmSync(work, { recursive: true, force: true });
      return { packages: [...inputs.packages], files: [PROGRAM] };
    });
    for (const other of readdirSync(cache)) {
      if (other.startsWith(prefix) && other !== part) {
        rmSync(join(cache, other), { recursive: true, force: true });
      }
    }
  }
  return join(directory, PROGRAM);
}
