/** Finds the modules that the guest needs in a kernel's module tree, with what they depend on, ready to be loaded. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CommandError, messageOf } from '../command-error.ts';
import { moduleInformation } from './elf.ts';

/** One module, uncompressed. */
export interface KernelModule {
  /** With underscores, as the kernel names it. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** What a guest with an IOMMU and disks on PCI cannot do without. */
export const STANDARD_MODULES: readonly string[] = ['virtio_pci', 'virtio_iommu', 'virtio_blk'];
/** What a program in its user space needs to drive a device. */
export const VFIO_MODULES: readonly string[] = ['vfio_iommu_type1', 'vfio_pci'];
/** What it loads if there is one. */
const OPTIONAL = ['virtio_rng'];

const MODULE_FILE = /^(.+)\.ko(?:\.(?:xz|zst|gz))?$/;

/**
 * The modules to load, in the order of `wanted` but each after the ones it depends on; those that are built into the kernel
 * are left out.
 *
 * Dependencies are read from the modules themselves, since Debian's packages hold no `modules.dep`.
 *
 * @param directory a `/lib/modules/VERSION` tree
 * @param release the release of the kernel that is to load them
 * @param busybox a busybox that can run here, for modules compressed with xz
 * @param wanted names, with underscores
 * @throws {CommandError} when the kernel does not have one of them, or a module cannot be read or is of another kernel
 */
export function findKernelModules(
  directory: string,
  release: string,
  busybox: string,
  wanted: readonly string[] = STANDARD_MODULES,
): KernelModule[] {
  const files = moduleFiles(directory);
  const builtIn = builtInModules(directory);
  const found = new Map<string, KernelModule>();

  const add = (name: string, neededBy: string): void => {
    if (builtIn.has(name) || found.has(name)) return;
    const path = files.get(name);
    if (path === undefined) {
      throw new CommandError(
        `the kernel of ${directory} has no ${name}, neither as a module nor built in, and ${neededBy} needs it; pass --kernel and --modules of another`,
      );
    }
    const { content, information } = readModule(path, busybox);
    const itsRelease = information.get('vermagic')?.split(' ', 1)[0];
    if (itsRelease !== release) {
      throw new CommandError(
        `the kernel is ${release}, but ${path} is for ${itsRelease}; pass --modules of the same kernel`,
      );
    }
    for (const dependency of information.get('depends')?.split(',') ?? []) {
      if (dependency !== '') add(dependency.replaceAll('-', '_'), name);
    }
    found.set(name, { name, content });
  };

  for (const name of wanted) add(name, 'the guest');
  for (const name of OPTIONAL) {
    if (files.has(name)) add(name, 'the guest');
  }
  return [...found.values()];
}

/** Paths of all modules by name. */
function moduleFiles(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  let entries: string[];
  try {
    entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    throw new CommandError(`the modules in ${directory} cannot be read: ${messageOf(error)}`);
  }
  for (const entry of entries) {
    const name = moduleName(entry);
    if (name !== undefined) files.set(name, join(directory, entry));
  }
  return files;
}

/** The names in `modules.builtin`, which has one path a line. */
function builtInModules(directory: string): Set<string> {
  let text: string;
  try {
    text = readFileSync(join(directory, 'modules.builtin'), 'utf8');
  } catch (error) {
    throw new CommandError(
      `${directory} is no module tree, such as /lib/modules/6.12.0: ${messageOf(error)}`,
    );
  }
  return new Set(text.split('\n').flatMap((line) => moduleName(line) ?? []));
}

/** `kernel/drivers/iommu/virtio-iommu.ko.xz` is `virtio_iommu`: the kernel treats both signs alike. */
function moduleName(path: string): string | undefined {
  return MODULE_FILE.exec(basename(path))?.[1]?.replaceAll('-', '_');
}

function readModule(
  path: string,
  busybox: string,
): { content: Uint8Array; information: Map<string, string> } {
  try {
    const content = decompress(path, busybox);
    return { content, information: moduleInformation(content) };
  } catch (error) {
    throw new CommandError(`module ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function decompress(path: string, busybox: string): Uint8Array {
  const content = readFileSync(path);
  if (path.endsWith('.gz')) return gunzipSync(content);
  if (path.endsWith('.xz')) return filter(busybox, ['unxz', '-c'], content, 'busybox');
  if (path.endsWith('.zst')) return filter('zstd', ['-dc'], content);
  return content;
}

/** `argv0`: busybox goes by the name it was called by, whatever its file is called. */
function filter(command: string, args: string[], input: Uint8Array, argv0 = command): Uint8Array {
  const { error, status, stdout } = spawnSync(command, args, {
    argv0,
    input,
    maxBuffer: 256 << 20,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  if (error) throw new Error(`${command} does not run (${error.message}); install it`);
  if (status !== 0) throw new Error(`${argv0} ${args[0]} ended with exit code ${status}`);
  return stdout;
}
