/** Gets together what a real guest needs: a QEMU, a kernel with its modules, and busybox; the user's own, or Debian's. */
import { join, resolve } from 'node:path';
import { cacheDirectory, type Program, readPart } from '@viommu/debian-archive';
import { CommandError } from '../command-error.ts';
import { type Architecture, runsHere } from './architecture.ts';
import { fetchParts } from './fetch-parts.ts';
import { type GuestPrograms, guestPrograms, programOf } from './guest-programs.ts';
import { kernelRelease } from './kernel-release.ts';
import { checkBusybox, ownModules } from './own-parts.ts';
import {
  busyboxPart,
  linuxPart,
  neededParts,
  neededPrograms,
  type PartChoice,
  type ProgramChoice,
  qemuPart,
} from './part-choice.ts';
import { DTC, LIBRARIES, LOADER, qemuPath } from './part-recipes.ts';
import { checkQemu, type QemuProgram } from './qemu-program.ts';

export interface GuestPartsOptions extends PartChoice {
  /** The module tree of the user's own kernel; `/lib/modules/RELEASE` when not given. */
  readonly modules?: string;
  /** Where Debian's packages are kept; `VIOMMU_CACHE` or the user's cache folder when not given. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export interface GuestParts extends GuestPrograms {
  readonly architecture: Architecture;
  readonly qemu: QemuProgram;
  /** Path of the kernel image. */
  readonly kernel: string;
  /** Such as `6.12.117+deb13-amd64`. */
  readonly kernelRelease: string;
  /** Path of the kernel's module tree. */
  readonly modules: string;
  /** Path of a static busybox for the guest. */
  readonly busybox: string;
  /** Path of a busybox that runs here. */
  readonly hostBusybox: string;
  /** The device tree compiler, which an arm64 guest needs. */
  readonly dtc?: Program;
}

/**
 * Checks what the user passed and takes the rest from the cache, or fetches it from Debian's archive into the cache.
 *
 * @throws {CommandError} with one line that says what is wrong and what to install or pass
 */
export async function prepareGuestParts(options: GuestPartsOptions = {}): Promise<GuestParts> {
  const { architecture = 'x86_64' } = options;
  const needed = neededParts(options);
  const modules = givenModules(options, architecture);
  if (options.busybox !== undefined) checkBusybox(options.busybox, architecture);
  const ownQemu =
    options.qemu === undefined
      ? undefined
      : await checkQemu(
          { command: options.qemu, arguments: [], environment: {} },
          options.qemu,
          architecture,
        );

  const cache = options.cache === undefined ? cacheDirectory() : resolve(options.cache);
  await fetchParts(needed, { ...options, cache });

  const linux = options.kernel === undefined ? join(cache, linuxPart(options)) : undefined;
  const kernel = options.kernel ?? join(linux!, 'vmlinuz');
  const busybox = options.busybox ?? join(cache, busyboxPart(architecture), 'busybox');
  return {
    architecture,
    qemu:
      ownQemu ??
      (await checkQemu(
        cachedQemu(join(cache, qemuPart(architecture)), architecture),
        "Debian's QEMU",
        architecture,
      )),
    kernel,
    kernelRelease: kernelRelease(kernel, architecture),
    modules: modules ?? join(linux!, 'modules'),
    busybox,
    hostBusybox: runsHere(architecture) ? busybox : join(cache, 'busybox', 'busybox'),
    ...(architecture === 'arm64'
      ? { dtc: programOf(options.dtc, join(cache, 'table-tools'), DTC) }
      : {}),
    ...guestPrograms(options, cache),
  };
}

/**
 * The same for programs of this host alone.
 *
 * @throws {CommandError}
 */
export async function prepareGuestPrograms(
  options: ProgramChoice & Pick<GuestPartsOptions, 'cache' | 'signal' | 'onProgress'>,
): Promise<GuestPrograms> {
  const cache = options.cache === undefined ? cacheDirectory() : resolve(options.cache);
  await fetchParts(neededPrograms(options), { ...options, cache });
  return guestPrograms(options, cache);
}

/**
 * Whether {@link prepareGuestParts} with the same options would fetch nothing.
 *
 * @throws {CommandError} when there is no such guest
 */
export function guestPartsAreCached(
  options: PartChoice & { readonly cache?: string } = {},
): boolean {
  const cache = options.cache ?? cacheDirectory();
  return neededParts(options).every((name) => readPart(join(cache, name)) !== undefined);
}

/** Whether {@link prepareGuestPrograms} with the same options would fetch nothing. */
export function guestProgramsAreCached(choice: ProgramChoice): boolean {
  return neededPrograms(choice).every(
    (name) => readPart(join(cacheDirectory(), name)) !== undefined,
  );
}

/** The modules of the user's kernel, which go together; undefined when the kernel is Debian's. */
function givenModules(options: GuestPartsOptions, architecture: Architecture): string | undefined {
  if (options.kernel !== undefined) {
    return ownModules(options.kernel, options.modules, architecture);
  }
  if (options.modules === undefined) return undefined;
  throw new CommandError('--modules goes with --kernel; pass the kernel that they are of');
}

/** Started through its own loader and libraries, so that it does not matter which the host has. */
function cachedQemu(directory: string, architecture: Architecture): Omit<QemuProgram, 'version'> {
  return {
    command: join(directory, LOADER),
    arguments: [
      '--library-path',
      join(directory, LIBRARIES),
      join(directory, qemuPath(architecture)),
      '-L',
      join(directory, 'usr/share/qemu'),
      '-L',
      join(directory, 'usr/share/seabios'),
    ],
    environment: { QEMU_MODULE_DIR: join(directory, LIBRARIES, 'qemu') },
  };
}
