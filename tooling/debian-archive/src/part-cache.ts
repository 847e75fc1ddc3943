/** A folder of fetched parts: each is there whole, with a manifest of what it was made from, or not at all. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ArchiveError, messageOf } from './archive-error.ts';

/** A package that a part was made from. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  /** Of the package file. */
  readonly sha256: string;
}

/** `manifest.json` of a part. */
export interface Manifest {
  readonly packages: readonly PackageRecord[];
  /** SHA-256 of the files that matter, by their paths in the part's folder; checked before each use. */
  readonly files: Readonly<Record<string, string>>;
  /** What else it was made from, such as the hash of a configuration. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** What a part was made from, and which of its files matter. */
interface Filled {
  readonly packages: PackageRecord[];
  readonly files: string[];
  readonly facts?: Readonly<Record<string, string>>;
}

const MANIFEST = 'manifest.json';
const UNFINISHED = '.unfinished-';
/** An unfinished folder this old is nobody's any more. */
const ABANDONED_MILLISECONDS = 6 * 60 * 60 * 1000;

/** `VIOMMU_CACHE`, or `viommu` in the user's cache folder; an absolute path. */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(
    environment.VIOMMU_CACHE ||
      join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'viommu'),
  );
}

/** The manifest of a part that is there and whole, or undefined. */
export function readPart(directory: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, MANIFEST), 'utf8')) as Manifest;
    const whole = Object.entries(manifest.files).every(
      ([path, sha256]) => sha256OfFile(join(directory, path)) === sha256,
    );
    return whole ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a part in a folder beside its place and moves it there when it is complete, so that what is in place is whole
 * whatever happens meanwhile.
 *
 * @param fill makes the part in the folder it is given
 * @param options `replace` one that is whole, too
 */
export async function writePart(
  directory: string,
  fill: (folder: string) => Promise<Filled>,
  options: { readonly replace?: boolean } = {},
): Promise<Manifest> {
  const folder = makeFolder(join(directory, '..'));
  try {
    const { packages, files, facts } = await fill(folder);
    const manifest: Manifest = {
      packages,
      files: Object.fromEntries(files.map((path) => [path, sha256OfFile(join(folder, path))])),
      ...(facts ? { facts } : {}),
    };
    writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    return moveIntoPlace(folder, directory, manifest, options.replace ?? false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A new folder in the cache for work in progress; whoever makes it removes it.
 *
 * @throws {ArchiveError} when the cache cannot be written to
 */
export function makeFolder(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    removeAbandoned(cache);
    return mkdtempSync(join(cache, UNFINISHED));
  } catch (error) {
    throw new ArchiveError(
      `the cache ${cache} cannot be written to: ${messageOf(error)}; set VIOMMU_CACHE to a folder that can`,
      { cause: error },
    );
  }
}

function moveIntoPlace(
  folder: string,
  directory: string,
  manifest: Manifest,
  replace: boolean,
): Manifest {
  // A part that is there but not whole has to make way; the move then fails only when another process was faster.
  if (replace || readPart(directory) === undefined) {
    rmSync(directory, { recursive: true, force: true });
  }
  try {
    renameSync(folder, directory);
    return manifest;
  } catch (error) {
    const theirs = readPart(directory);
    if (theirs === undefined) throw error;
    return theirs;
  }
}

function removeAbandoned(cache: string): void {
  const now = Date.now();
  for (const name of readdirSync(cache)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const path = join(cache, name);
    // Its owner may remove it while we look.
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - changed > ABANDONED_MILLISECONDS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** In pieces: a package file may have more than 100 MB. */
export function sha256OfFile(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(file, piece, 0, piece.length, null);
      if (length === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}
