/** Makes the files of the guest out of Debian's packages, and checks each. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DebianArchive, type PackageRecord, unpackPackages } from '@viommu/debian-archive';
import { type BuiltKernel, buildKernel } from './build-kernel.ts';
import { GuestError, messageOf } from './guest-error.ts';
import { bzImageRelease, checkStaticI386, pageBytes } from './guest-files.ts';
import { prepareHostTools } from './host-tools.ts';
import { KERNEL_CONFIG } from './kernel-config.ts';
import { licenceText } from './licence.ts';
import {
  BUSYBOX,
  checkSeabios,
  FILES,
  type GuestFacts,
  LINUX,
  PACKAGES,
  recipeHash,
  SEABIOS,
  SUITE,
  sha256,
} from './recipe.ts';
import { type Origin, originOf } from './source-packages.ts';

export interface MakeGuestOptions {
  /** Where the files go. */
  readonly folder: string;
  /** A folder of the cache for work in progress, which is removed afterwards. */
  readonly work: string;
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** The texts that the licences of the files are, by their names in base-files. */
const LICENCE_TEXTS = ['GPL-2', 'GPL-3', 'LGPL-2.1', 'LGPL-3'];

/** @throws {GuestError} when it cannot be made, with what is wrong */
export async function makeGuest(
  options: MakeGuestOptions,
): Promise<{ packages: PackageRecord[]; files: string[]; facts: GuestFacts }> {
  const { folder, work } = options;
  const environment = await prepareHostTools({ ...options, folder: join(work, 'host') });
  const downloads = join(work, 'packages');
  const origins = await fetchPackages(downloads, options);
  checkSeabios(origins.get(SEABIOS)!.version);

  const root = join(work, 'root');
  const packages = await unpackPackages(
    downloads,
    root,
    options.signal ? { signal: options.signal } : {},
  );
  const busybox = firstOf(root, 'usr/bin/busybox', 'bin/busybox');
  checkStaticI386(readFileSync(busybox), `Debian's ${BUSYBOX}`);
  copyFileSync(busybox, join(folder, FILES.busybox));
  for (const name of [FILES.bios, FILES.vgaBios]) {
    copyFileSync(firstOf(root, `usr/share/seabios/${name}`), join(folder, name));
  }

  const kernel = await buildKernel({ ...options, root, folder: join(work, 'linux'), environment });
  const kernelRelease = checkRelease(kernel);
  copyFileSync(kernel.image, join(folder, FILES.kernel));
  copyFileSync(kernel.config, join(folder, FILES.config));
  mkdirSync(join(folder, FILES.builtIn, '..'));
  copyFileSync(kernel.builtIn, join(folder, FILES.builtIn));
  writeLicences(root, folder, origins, { kernelRelease, compiler: kernel.compiler });

  const fetched = [FILES.kernel, FILES.busybox, FILES.bios, FILES.vgaBios];
  return {
    packages,
    files: Object.values(FILES),
    facts: {
      recipe: recipeHash(),
      kernelRelease,
      kernelConfig: sha256(KERNEL_CONFIG),
      compiler: kernel.compiler,
      pageBytes: String(
        pageBytes(new Map(fetched.map((name) => [name, readFileSync(join(folder, name))]))),
      ),
    },
  };
}

/** @returns what each package in `directory` is built from, by its name */
async function fetchPackages(
  directory: string,
  { work, signal, onProgress }: MakeGuestOptions,
): Promise<Map<string, Origin>> {
  const running = signal ? { signal } : {};
  mkdirSync(directory);
  try {
    const archive = await DebianArchive.open({
      directory: join(work, 'apt'),
      releases: [[SUITE]],
      foreign: ['i386'],
      onProgress,
      ...running,
    });
    for (const name of PACKAGES) await archive.download(name, directory);
    const origins = new Map<string, Origin>();
    for (const file of readdirSync(directory)) {
      const origin = await originOf(join(directory, file), running);
      origins.set(origin.package, origin);
    }
    return origins;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new GuestError(
      `${PACKAGES.join(', ')} cannot be had from Debian ${SUITE} (${messageOf(error)})`,
      { cause: error },
    );
  }
}

/** @throws {GuestError} when the image is not of the release that was built */
function checkRelease({ image, release }: BuiltKernel): string {
  const itsRelease = bzImageRelease(readFileSync(image));
  if (itsRelease !== release) {
    throw new GuestError(`the bzImage says that it is ${itsRelease}, and was built as ${release}`);
  }
  return release;
}

function writeLicences(
  root: string,
  folder: string,
  origins: ReadonlyMap<string, Origin>,
  built: { readonly kernelRelease: string; readonly compiler: string },
): void {
  const directory = join(folder, 'licences');
  mkdirSync(directory);
  for (const name of LICENCE_TEXTS) {
    copyFileSync(firstOf(root, `usr/share/common-licenses/${name}`), join(directory, name));
  }
  for (const name of [LINUX, BUSYBOX, SEABIOS]) {
    copyFileSync(
      firstOf(root, `usr/share/doc/${name}/copyright`),
      join(directory, `${name}.copyright`),
    );
  }
  const text = licenceText({
    ...built,
    linux: origins.get(LINUX)!,
    busybox: origins.get(BUSYBOX)!,
    seabios: origins.get(SEABIOS)!,
  });
  writeFileSync(join(folder, FILES.licence), text);
}

/** @throws {GuestError} when the packages have none of the paths */
function firstOf(root: string, ...paths: string[]): string {
  const path = paths.map((name) => join(root, name)).find((name) => existsSync(name));
  if (path === undefined) throw new GuestError(`Debian's packages have no ${paths[0]}`);
  return path;
}
