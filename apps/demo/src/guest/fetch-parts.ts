/** Makes the parts that are not in the cache out of Debian's packages. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  ArchiveError,
  makeFolder,
  type PackageRecord,
  readPart,
  unpackPackages,
  writePart,
} from '@viommu/debian-archive';
import { CommandError, messageOf } from '../command-error.ts';
import { GuestArchive } from './guest-archive.ts';
import { type PartName, RECIPES, type Recipe } from './part-recipes.ts';

export interface FetchPartsOptions {
  /** An absolute path: apt takes no others. */
  readonly cache: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/**
 * Fetches what is missing of `names`.
 *
 * @throws {CommandError} when a part cannot be made, with the options that take its place
 */
export async function fetchParts(
  names: readonly PartName[],
  options: FetchPartsOptions,
): Promise<void> {
  const { cache, signal, onProgress = () => {} } = options;
  const missing = names.filter((name) => readPart(join(cache, name)) === undefined);
  if (missing.length === 0) return;
  const recipes = missing.map((name): Recipe => RECIPES[name]);
  const directory = makeFolderInCache(cache);
  try {
    const archive = await GuestArchive.open({
      directory,
      onProgress,
      foreign: foreignArchitectures(recipes),
      backports: recipes.some(({ backports }) => backports),
      ...(signal ? { signal } : {}),
    });
    for (const [index, name] of missing.entries()) {
      await writePart(join(cache, name), (folder) =>
        make(recipes[index]!, archive, folder, options),
      );
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    const titles = recipes.map(({ title }) => title).join(', ');
    const flags = [...new Set(recipes.map((recipe) => recipe.options))].join(', ');
    throw new CommandError(
      `${titles} cannot be had from Debian's packages (${messageOf(error)}); pass ${flags}`,
      { cause: error },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeFolderInCache(cache: string): string {
  try {
    return makeFolder(cache);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

function foreignArchitectures(recipes: readonly Recipe[]): string[] {
  return [...new Set(recipes.flatMap(({ foreign }) => (foreign === undefined ? [] : [foreign])))];
}

async function make(
  recipe: Recipe,
  archive: GuestArchive,
  folder: string,
  options: FetchPartsOptions,
): Promise<{ packages: PackageRecord[]; files: string[] }> {
  const downloads = await recipe.fetch(archive, folder);
  options.onProgress?.(`unpacking ${recipe.title}`);
  const root = join(folder, 'unpacked');
  const packages = await unpackPackages(
    downloads,
    root,
    options.signal ? { signal: options.signal } : {},
  );
  const files = recipe.arrange(root, folder);
  rmSync(root, { recursive: true, force: true });
  return { packages, files };
}
