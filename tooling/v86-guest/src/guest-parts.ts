/** The parts of the v86 guest: from the cache, or made once by the recipe. */
import { rmSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  ArchiveError,
  cacheDirectory,
  makeFolder,
  readPart,
  writePart,
} from '@viommu/debian-archive';
import { GuestError } from './guest-error.ts';
import { makeGuest } from './make-guest.ts';
import { currentFacts, FILES, type GuestFacts } from './recipe.ts';

export interface V86GuestOptions {
  /** Where parts are kept; `VIOMMU_CACHE` or the user's cache folder when not given. */
  readonly cache?: string;
  /** Makes it of the newest packages, even when one is in the cache. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** Paths, but for the release. */
export interface V86GuestParts {
  /** The folder that all files are in, and `licences` with them: what a published page has to have. */
  readonly directory: string;
  /** A bzImage for i386. */
  readonly kernel: string;
  /** Its module tree: no modules, and the list of those that are built in. */
  readonly modules: string;
  /** What `uname -r` says, such as `6.12.117-viommu`. */
  readonly kernelRelease: string;
  /** A static busybox for i386. */
  readonly busybox: string;
  readonly bios: string;
  readonly vgaBios: string;
  /** Licences and source offer, in words. */
  readonly licence: string;
  /** What a page fetches of kernel, busybox, BIOS and VGA BIOS, compressed, in bytes. */
  readonly pageBytes: number;
}

const PART = 'v86-guest';
/** The source unpacked and built, with some to spare. */
const NEEDED_BYTES = 3e9;

/**
 * Takes the parts from the cache, or makes them: minutes, and 1.7 GB for so long.
 *
 * @throws {GuestError} when they cannot be made, with one line that says what is wrong
 */
export async function prepareV86Guest(options: V86GuestOptions = {}): Promise<V86GuestParts> {
  const { force = false, signal, onProgress = () => {} } = options;
  const cache = cacheOf(options);
  const directory = join(cache, PART);
  const cached = force ? undefined : currentFacts(readPart(directory));
  if (cached !== undefined) return partsIn(directory, cached);

  checkPath(cache);
  try {
    const work = makeFolder(cache);
    try {
      checkSpace(work);
      const { facts } = await writePart(
        directory,
        (folder) => makeGuest({ folder, work, onProgress, ...(signal ? { signal } : {}) }),
        { replace: true },
      );
      return partsIn(directory, facts as GuestFacts);
    } finally {
      onProgress('removing what it was built in');
      rmSync(work, { recursive: true, force: true });
    }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new GuestError(error.message, { cause: error });
  }
}

/** Whether {@link prepareV86Guest} would take the parts from the cache. */
export function v86GuestIsCached(options: Pick<V86GuestOptions, 'cache'> = {}): boolean {
  return currentFacts(readPart(join(cacheOf(options), PART))) !== undefined;
}

function cacheOf({ cache }: Pick<V86GuestOptions, 'cache'>): string {
  return cache === undefined ? cacheDirectory() : resolve(cache);
}

function partsIn(directory: string, facts: GuestFacts): V86GuestParts {
  return {
    directory,
    kernel: join(directory, FILES.kernel),
    modules: join(directory, FILES.builtIn, '..'),
    kernelRelease: facts.kernelRelease,
    busybox: join(directory, FILES.busybox),
    bios: join(directory, FILES.bios),
    vgaBios: join(directory, FILES.vgaBios),
    licence: join(directory, FILES.licence),
    pageBytes: Number(facts.pageBytes),
  };
}

/** @throws {GuestError} when the kernel's makefile would not take the folder */
function checkPath(cache: string): void {
  if (/[\s:]/.test(cache)) {
    throw new GuestError(
      `a kernel cannot be built in ${cache}, for its spaces or colons; set VIOMMU_CACHE to another folder`,
    );
  }
}

/** @throws {GuestError} when the kernel's source and objects have no room */
function checkSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < NEEDED_BYTES) {
    throw new GuestError(
      `building the kernel needs ${NEEDED_BYTES / 1e9} GB, and ${folder} has ${Math.floor((bavail * bsize) / 1e8) / 10} GB; set VIOMMU_CACHE to a folder with more`,
    );
  }
}
