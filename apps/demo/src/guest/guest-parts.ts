/** Gets together what a real guest needs: a QEMU, a kernel with its modules, and busybox; the user's own, or Debian's. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, messageOf } from '../command-error.ts';
import { type Compiler, fetchedCompiler, ownCompiler } from './compiler.ts';
import { DebianArchive } from './debian-archive.ts';
import { isStatic } from './elf.ts';
import { kernelRelease } from './kernel-release.ts';
import {
  cacheDirectory,
  makeFolder,
  type PackageRecord,
  readPart,
  sha256OfFile,
  writePart,
} from './part-cache.ts';
import { LIBRARIES, LOADER, type PartName, QEMU, RECIPES, type Recipe } from './part-recipes.ts';
import { fetchedPasst, ownPasst, type Passt } from './passt.ts';
import { checkQemu, type QemuProgram } from './qemu-program.ts';
import { runProgram } from './run-program.ts';

export interface GuestPartsOptions {
  /** The user's own QEMU. */
  readonly qemu?: string;
  /** The user's own kernel, a vmlinuz. */
  readonly kernel?: string;
  /** The module tree of that kernel; `/lib/modules/RELEASE` when not given. */
  readonly modules?: string;
  /** The user's own busybox, linked statically. */
  readonly busybox?: string;
  /** The user's own C compiler, which can link statically. */
  readonly cc?: string;
  /** Whether a program of our own has to be compiled for the guest; false when not given. */
  readonly compiler?: boolean;
  /** The user's own passt. */
  readonly passt?: string;
  /** Whether the guest has a network; false when not given. */
  readonly network?: boolean;
  /** Where Debian's packages are kept; `VIOMMU_CACHE` or the user's cache folder when not given. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export interface GuestParts {
  readonly qemu: QemuProgram;
  /** Path of the kernel image. */
  readonly kernel: string;
  /** Such as `6.12.117+deb13-amd64`. */
  readonly kernelRelease: string;
  /** Path of the kernel's module tree. */
  readonly modules: string;
  /** Path of a static busybox. */
  readonly busybox: string;
  /** There when it was asked for. */
  readonly compiler?: Compiler;
  /** There when a network was asked for. */
  readonly passt?: Passt;
}

/**
 * Checks what the user passed and takes the rest from the cache, or fetches it from Debian's archive into the cache.
 *
 * @throws {CommandError} with one line that says what is wrong and what to install or pass
 */
export async function prepareGuestParts(options: GuestPartsOptions = {}): Promise<GuestParts> {
  const own = ownKernel(options);
  if (options.busybox !== undefined) checkBusybox(options.busybox);
  const ownQemu =
    options.qemu === undefined
      ? undefined
      : await checkQemu({ command: options.qemu, arguments: [], environment: {} }, options.qemu);

  // apt takes no relative paths.
  const cache = options.cache === undefined ? cacheDirectory() : resolve(options.cache);
  const needed: PartName[] = [];
  if (ownQemu === undefined) needed.push('qemu');
  if (own === undefined) needed.push('linux');
  if (options.busybox === undefined) needed.push('busybox');
  const needsCompiler = options.compiler === true;
  if (needsCompiler && options.cc === undefined) needed.push('compiler');
  const needsPasst = options.network === true;
  if (needsPasst && options.passt === undefined) needed.push('passt');
  await fetchMissing(needed, cache, options);

  const kernel = own?.kernel ?? join(cache, 'linux', 'vmlinuz');
  return {
    qemu: ownQemu ?? (await checkQemu(cachedQemu(join(cache, 'qemu')), "Debian's QEMU")),
    kernel,
    kernelRelease: kernelRelease(kernel),
    modules: own?.modules ?? join(cache, 'linux', 'modules'),
    busybox: options.busybox ?? join(cache, 'busybox', 'busybox'),
    ...(needsCompiler
      ? {
          compiler:
            options.cc === undefined
              ? fetchedCompiler(join(cache, 'compiler'))
              : ownCompiler(options.cc),
        }
      : {}),
    ...(needsPasst
      ? {
          passt:
            options.passt === undefined
              ? fetchedPasst(join(cache, 'passt'))
              : ownPasst(options.passt),
        }
      : {}),
  };
}

/** Whether {@link prepareGuestParts} would find all of Debian's parts in the cache. */
export function guestPartsAreCached(cache = cacheDirectory()): boolean {
  return Object.keys(RECIPES).every((name) => readPart(join(cache, name)) !== undefined);
}

/** The user's kernel and its modules, which go together. */
function ownKernel(options: GuestPartsOptions): { kernel: string; modules: string } | undefined {
  if (options.kernel === undefined) {
    if (options.modules === undefined) return undefined;
    throw new CommandError('--modules goes with --kernel; pass the kernel that they are of');
  }
  const release = kernelRelease(options.kernel);
  const modules = options.modules ?? `/lib/modules/${release}`;
  if (!existsSync(modules)) {
    throw new CommandError(
      options.modules === undefined
        ? `the modules of ${options.kernel} are not in ${modules}; pass --modules`
        : `--modules: '${modules}' is not there`,
    );
  }
  return { kernel: options.kernel, modules };
}

/** A busybox that needs libraries would not start in the guest, which has none. */
function checkBusybox(path: string): void {
  let fits: boolean;
  try {
    fits = isStatic(readFileSync(path));
  } catch (error) {
    throw new CommandError(`the busybox ${path} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!fits) {
    throw new CommandError(`${path} needs libraries; pass a busybox that is linked statically`);
  }
}

/** Started through its own loader and libraries, so that it does not matter which the host has. */
function cachedQemu(directory: string): Omit<QemuProgram, 'version'> {
  return {
    command: join(directory, LOADER),
    arguments: [
      '--library-path',
      join(directory, LIBRARIES),
      join(directory, QEMU),
      '-L',
      join(directory, 'usr/share/qemu'),
      '-L',
      join(directory, 'usr/share/seabios'),
    ],
    environment: { QEMU_MODULE_DIR: join(directory, LIBRARIES, 'qemu') },
  };
}

async function fetchMissing(
  needed: readonly PartName[],
  cache: string,
  options: GuestPartsOptions,
): Promise<void> {
  const missing = needed.filter((name) => readPart(join(cache, name)) === undefined);
  if (missing.length === 0) return;
  const { signal, onProgress = () => {} } = options;
  const directory = makeFolder(cache);
  try {
    const archive = await DebianArchive.open({
      directory,
      onProgress,
      ...(signal ? { signal } : {}),
    });
    for (const name of missing) {
      const recipe: Recipe = RECIPES[name];
      await writePart(join(cache, name), (folder) => make(recipe, archive, folder, options));
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    const flags = {
      qemu: '--qemu',
      linux: '--kernel and --modules',
      busybox: '--busybox',
      compiler: '--cc',
      passt: '--passt',
    };
    throw new CommandError(
      `${missing.map((name) => RECIPES[name].title).join(', ')} cannot be had from Debian's packages (${messageOf(error)}); pass ${missing.map((name) => flags[name]).join(', ')}`,
      { cause: error },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function make(
  recipe: Recipe,
  archive: DebianArchive,
  folder: string,
  options: GuestPartsOptions,
): Promise<{ packages: PackageRecord[]; files: string[] }> {
  const downloads = await recipe.fetch(archive, folder);
  options.onProgress?.(`unpacking ${recipe.title}`);
  const root = join(folder, 'unpacked');
  const packages: PackageRecord[] = [];
  for (const file of readdirSync(downloads)) {
    if (!file.endsWith('.deb')) continue;
    const path = join(downloads, file);
    await runProgram(
      'dpkg-deb',
      ['-x', path, root],
      options.signal ? { signal: options.signal } : {},
    );
    // apt names the file NAME_VERSION_ARCHITECTURE.deb, with the colon of an epoch escaped.
    const [name = file, version = ''] = file.split('_');
    packages.push({ name, version: decodeURIComponent(version), sha256: sha256OfFile(path) });
    rmSync(path);
  }
  const files = recipe.arrange(root, folder);
  rmSync(root, { recursive: true, force: true });
  return { packages, files };
}
