/** Build tools out of Debian's packages, in a folder of their own, where they were not made to be. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { DebianArchive, unpackPackages } from '@viommu/debian-archive';

/** A program, and the packages that have it. */
export interface HostTool {
  readonly program: string;
  readonly packages: readonly string[];
  /** Programs that come with it, and are taken from the same packages. */
  readonly others?: readonly string[];
}

export interface HostToolsOptions {
  /** An empty folder, for what is fetched; it has to stay as long as the tools are used. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** Where packages for amd64 have their libraries: before and since Debian 13, which merged the two. */
const LIBRARIES = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'];
/**
 * What programs are compiled against, and not run with: the tools run with the C library of this system, whose loader takes no
 * other.
 */
const SYSROOT_PACKAGE = /^(libc6|libc6-dev|libc-dev-bin|libgcc-s1|linux-libc-dev)_/;

/** @returns the environment in which the tools are found */
export async function fetchTools(
  tools: readonly HostTool[],
  suite: string,
  { folder, signal, onProgress }: HostToolsOptions,
): Promise<NodeJS.ProcessEnv> {
  const running = signal ? { signal } : {};
  const archive = await DebianArchive.open({
    directory: join(folder, 'apt'),
    releases: [[suite]],
    onProgress,
    ...running,
  });
  const downloads = await archive.downloadWithDependencies(
    tools.flatMap(({ packages }) => packages),
    { suite, title: 'build tools' },
  );
  onProgress('unpacking build tools');
  const root = join(folder, 'tools');
  const sysroot = join(folder, 'sysroot');
  await unpackPackages(sysrootPackages(downloads, folder), sysroot, running);
  await unpackPackages(downloads, root, running);
  mergeLibraries(sysroot);
  return environmentOf(tools, { root, sysroot, bin: join(folder, 'bin') });
}

/** Moves the packages of the sysroot into a folder of their own. */
function sysrootPackages(downloads: string, folder: string): string {
  const own = join(folder, 'sysroot-packages');
  mkdirSync(own);
  for (const file of readdirSync(downloads)) {
    if (SYSROOT_PACKAGE.test(file)) renameSync(join(downloads, file), join(own, file));
  }
  return own;
}

/** The C library's linker script names its files by paths under /lib, whichever of the two the package has them in. */
function mergeLibraries(sysroot: string): void {
  for (const name of ['lib', 'lib64']) {
    if (!existsSync(join(sysroot, name))) symlinkSync(join('usr', name), join(sysroot, name));
  }
}

interface ToolFolders {
  /** Where the packages are unpacked. */
  readonly root: string;
  readonly sysroot: string;
  /** Where scripts are put that start the programs. */
  readonly bin: string;
}

/** Writes a script for each program, which says where its libraries are; nothing else gets to see those. */
export function environmentOf(
  tools: readonly HostTool[],
  { root, sysroot, bin }: ToolFolders,
): NodeJS.ProcessEnv {
  mkdirSync(bin, { recursive: true });
  const libraries = LIBRARIES.map((path) => join(root, path)).join(':');
  for (const { program, others = [] } of tools) {
    for (const name of [program, ...others]) {
      const command = [
        join(root, 'usr/bin', name),
        ...(name === 'gcc' ? [`--sysroot=${sysroot}`] : []),
      ];
      const script = `#!/bin/sh\nLD_LIBRARY_PATH=${quoted(libraries)} exec ${command.map(quoted).join(' ')} "$@"\n`;
      writeFileSync(join(bin, name), script);
      chmodSync(join(bin, name), 0o755);
    }
  }
  const has = (name: string) => tools.some(({ program }) => program === name);
  return {
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    ...(has('m4') ? { M4: join(bin, 'm4') } : {}),
    ...(has('bison') ? { BISON_PKGDATADIR: join(root, 'usr/share/bison') } : {}),
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
