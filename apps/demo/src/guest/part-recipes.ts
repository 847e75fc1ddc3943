/** How each part of a guest is made of Debian's packages. */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, type Architecture } from './architecture.ts';
import type { GuestArchive, KernelSuite } from './guest-archive.ts';

/** Makes a part's folder out of packages; says which of its files are checked before each use. */
export interface Recipe {
  fetch(archive: GuestArchive, folder: string): Promise<string>;
  /** @param root where the packages are unpacked, in `folder` */
  arrange(root: string, folder: string): string[];
  readonly title: string;
  /** The options with which the user passes an own one. */
  readonly options: string;
  /** Whether packages may come from Debian's backports; false when not given. */
  readonly backports?: boolean;
  /** Debian's name of the architecture of some of the packages, where it is another than the host's. */
  readonly foreign?: string;
}

/** Where Debian's packages for amd64 have their libraries. */
export const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
export const LOADER = `${LIBRARIES}/ld-linux-x86-64.so.2`;
export const IASL = 'usr/bin/iasl';
export const DTC = 'usr/bin/dtc';
export const PASST = 'usr/bin/passt';

/** What programs can be made for: how Debian calls it, where its packages have what is needed, and what of it they do not have. */
export const COMPILED = {
  x86_64: {
    tcc: 'usr/bin/tcc',
    runtime: 'libtcc1.a',
    musl: 'x86_64-linux-musl',
    headers: 'x86_64-linux-gnu',
    sources: [],
    foreign: undefined,
  },
  i386: {
    tcc: 'usr/bin/i386-tcc',
    runtime: 'i386-libtcc1.a',
    musl: 'i386-linux-musl',
    headers: 'i386-linux-gnu',
    sources: ['guest/i386-division.c'],
    foreign: 'i386',
  },
} as const;

export type CompiledArchitecture = keyof typeof COMPILED;

/** Path of the QEMU for an architecture in its part. */
export function qemuPath(architecture: Architecture): string {
  return `usr/bin/${ARCHITECTURES[architecture].qemu}`;
}

/** By the name of the part's folder in the cache. */
export const RECIPES = {
  qemu: qemuRecipe('x86_64', 'qemu-system-x86'),
  'qemu-arm64': qemuRecipe('arm64', 'qemu-system-arm'),
  linux: linuxRecipe('x86_64', 'linux-image-amd64', 'stable'),
  'linux-backports': linuxRecipe('x86_64', 'linux-image-amd64', 'backports'),
  // The flavour for virtual machines: a third of the size of the other.
  'linux-arm64': linuxRecipe('arm64', 'linux-image-cloud-arm64', 'stable'),
  'linux-arm64-backports': linuxRecipe('arm64', 'linux-image-cloud-arm64', 'backports'),
  'linux-arm64-16k': linuxRecipe('arm64', 'linux-image-arm64-16k', 'stable'),
  'linux-arm64-16k-backports': linuxRecipe('arm64', 'linux-image-arm64-16k', 'backports'),
  busybox: busyboxRecipe('x86_64'),
  'busybox-arm64': busyboxRecipe('arm64'),
  compiler: compilerRecipe('x86_64'),
  'compiler-i386': compilerRecipe('i386'),
  // For arm64, dtc; iasl checks the tables that tests write.
  'table-tools': {
    title: 'dtc and iasl',
    options: '--dtc',
    async fetch(archive, folder) {
      for (const name of [
        'acpica-tools',
        'device-tree-compiler',
        'libfdt1',
        'libyaml-0-2',
        'libc6',
      ]) {
        await archive.download(name, folder);
      }
      return folder;
    },
    arrange(root, folder) {
      for (const path of [LIBRARIES, IASL, DTC]) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        renameSync(join(root, path), join(folder, path));
      }
      return [IASL, DTC, LOADER];
    },
  },
  passt: {
    title: 'passt',
    options: '--passt',
    async fetch(archive, folder) {
      for (const name of ['passt', 'libc6']) await archive.download(name, folder);
      return folder;
    },
    arrange(root, folder) {
      renameSync(join(root, 'usr'), join(folder, 'usr'));
      return [PASST, LOADER];
    },
  },
} satisfies Record<string, Recipe>;

export type PartName = keyof typeof RECIPES;

/** A QEMU that runs here, with all libraries down to the C library. */
function qemuRecipe(architecture: Architecture, packageName: string): Recipe {
  const program = qemuPath(architecture);
  return {
    title: `QEMU for ${architecture}`,
    options: '--qemu',
    backports: true,
    fetch: (archive) => archive.downloadQemu(packageName),
    arrange(root, folder) {
      for (const path of [LIBRARIES, 'usr/share/qemu', 'usr/share/seabios', program]) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        renameSync(join(root, path), join(folder, path));
      }
      return [program, LOADER];
    },
  };
}

/** tcc runs here, and makes programs of that architecture with its C library; the kernel's headers are for all. */
function compilerRecipe(architecture: CompiledArchitecture): Recipe {
  const { musl, tcc, foreign } = COMPILED[architecture];
  return {
    title: `a C compiler for ${architecture}`,
    options: '--cc',
    ...(foreign === undefined ? {} : { foreign }),
    async fetch(archive, folder) {
      const library = foreign === undefined ? 'musl-dev' : `musl-dev:${foreign}`;
      for (const name of ['tcc', library, 'linux-libc-dev', 'libc6']) {
        await archive.download(name, folder);
      }
      return folder;
    },
    arrange(root, folder) {
      renameSync(join(root, 'usr'), join(folder, 'usr'));
      return [tcc, LOADER, `usr/lib/${musl}/libc.a`];
    },
  };
}

function linuxRecipe(architecture: Architecture, packageName: string, suite: KernelSuite): Recipe {
  return {
    title: `the kernel for ${architecture}`,
    options: '--kernel and --modules',
    backports: suite === 'backports',
    ...foreignOf(architecture),
    async fetch(archive, folder) {
      await archive.downloadKernel(packageName + suffix(architecture), suite, folder);
      return folder;
    },
    arrange(root, folder) {
      const modules = existsSync(join(root, 'usr/lib/modules')) ? 'usr/lib/modules' : 'lib/modules';
      const release = readdirSync(join(root, modules))[0]!;
      const inBoot = join(root, `boot/vmlinuz-${release}`);
      const kernel = existsSync(inBoot) ? inBoot : join(root, modules, release, 'vmlinuz');
      renameSync(kernel, join(folder, 'vmlinuz'));
      renameSync(join(root, modules, release), join(folder, 'modules'));
      return ['vmlinuz', 'modules/modules.builtin'];
    },
  };
}

function busyboxRecipe(architecture: Architecture): Recipe {
  return {
    title: `busybox for ${architecture}`,
    options: '--busybox',
    ...foreignOf(architecture),
    async fetch(archive, folder) {
      await archive.download(`busybox-static${suffix(architecture)}`, folder);
      return folder;
    },
    arrange(root, folder) {
      const path = existsSync(join(root, 'usr/bin/busybox')) ? 'usr/bin/busybox' : 'bin/busybox';
      renameSync(join(root, path), join(folder, 'busybox'));
      return ['busybox'];
    },
  };
}

function foreignOf(architecture: Architecture): Pick<Recipe, 'foreign'> {
  return architecture === 'x86_64' ? {} : { foreign: ARCHITECTURES[architecture].debian };
}

/** What apt wants after the name of a package that is not for the host's architecture. */
function suffix(architecture: Architecture): string {
  return architecture === 'x86_64' ? '' : `:${ARCHITECTURES[architecture].debian}`;
}
