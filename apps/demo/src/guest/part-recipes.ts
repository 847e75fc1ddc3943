/** How each part of a guest is made of Debian's packages. */
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DebianArchive } from './debian-archive.ts';

/** Makes a part's folder out of packages; says which of its files are checked before each use. */
export interface Recipe {
  fetch(archive: DebianArchive, folder: string): Promise<string>;
  /** @param root where the packages are unpacked, in `folder` */
  arrange(root: string, folder: string): string[];
  readonly title: string;
}

/** Where Debian's packages for amd64 have their libraries. */
export const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
export const LOADER = `${LIBRARIES}/ld-linux-x86-64.so.2`;
export const QEMU = 'usr/bin/qemu-system-x86_64';
export const TCC = 'usr/bin/tcc';
export const PASST = 'usr/bin/passt';

/** By the name of the part's folder in the cache. */
export const RECIPES = {
  qemu: {
    title: 'QEMU',
    fetch: (archive) => archive.downloadQemu(),
    arrange(root, folder) {
      for (const path of [LIBRARIES, 'usr/share/qemu', 'usr/share/seabios', QEMU]) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        renameSync(join(root, path), join(folder, path));
      }
      return [QEMU, LOADER];
    },
  },
  linux: {
    title: 'the kernel',
    async fetch(archive, folder) {
      await archive.downloadKernel(folder);
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
  },
  busybox: {
    title: 'busybox',
    async fetch(archive, folder) {
      await archive.download('busybox-static', folder);
      return folder;
    },
    arrange(root, folder) {
      const path = existsSync(join(root, 'usr/bin/busybox')) ? 'usr/bin/busybox' : 'bin/busybox';
      renameSync(join(root, path), join(folder, 'busybox'));
      return ['busybox'];
    },
  },
  compiler: {
    title: 'a C compiler',
    async fetch(archive, folder) {
      for (const name of ['tcc', 'musl-dev', 'linux-libc-dev', 'libc6']) {
        await archive.download(name, folder);
      }
      return folder;
    },
    arrange(root, folder) {
      renameSync(join(root, 'usr'), join(folder, 'usr'));
      return [TCC, LOADER, 'usr/lib/x86_64-linux-musl/libc.a'];
    },
  },
  passt: {
    title: 'passt',
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
