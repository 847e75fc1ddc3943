/** Makes the folder that a page fetches its guest from: everything compressed, a list of it, and the licences. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, writeCpio } from '@viommu/initramfs';
import { GuestError } from './guest-error.ts';
import type { V86GuestParts } from './guest-parts.ts';

/** What `guest.json` says; a page reads it first. */
export interface PageGuest {
  /** What `uname -r` says. */
  readonly kernelRelease: string;
  /** Each compressed with gzip, whatever a server makes of it besides. */
  readonly files: readonly {
    readonly part: 'kernel' | 'initramfs' | 'bios' | 'vgaBios';
    /** Its name beside `guest.json`. */
    readonly file: string;
    /** Of the compressed file. */
    readonly bytes: number;
  }[];
}

/**
 * Writes the folder, whole or not at all; what was there before is gone. What it is in has to be there.
 *
 * @param tree a folder of what the guest's initial file system has besides busybox: `init`, and whatever that needs
 * @returns bytes that a page fetches
 * @throws {GuestError} when there is no `init`, or the folder cannot be written
 */
export function makePageFolder(parts: V86GuestParts, tree: string, folder: string): number {
  const files = (
    [
      ['kernel', 'kernel.gz', readFileSync(parts.kernel)],
      ['initramfs', 'initramfs.gz', writeCpio(initialFiles(parts.busybox, tree))],
      ['bios', 'bios.gz', readFileSync(parts.bios)],
      ['vgaBios', 'vgabios.gz', readFileSync(parts.vgaBios)],
    ] as const
  ).map(([part, file, content]) => ({ part, file, content: gzipSync(content, { level: 9 }) }));
  const guest: PageGuest = {
    kernelRelease: parts.kernelRelease,
    files: files.map(({ part, file, content }) => ({ part, file, bytes: content.length })),
  };
  const fresh = `${folder}.new`;
  try {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh);
    for (const { file, content } of files) writeFileSync(join(fresh, file), content);
    copyFileSync(parts.licence, join(fresh, 'LICENCES.txt'));
    for (const name of ['licences', 'kernel.config']) {
      cpSync(join(parts.directory, name), join(fresh, name), { recursive: true });
    }
    writeFileSync(join(fresh, 'guest.json'), `${JSON.stringify(guest, undefined, 2)}\n`);
    // In the cache they are the user's alone, and a server is another user.
    chmodSync(fresh, 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw new GuestError(`${folder} cannot be written (${(error as Error).message})`, {
      cause: error,
    });
  }
  return files.reduce((sum, { content }) => sum + content.length, 0);
}

/** Busybox, and the files of the tree, each of which is a program when its owner may run it. */
function initialFiles(busybox: string, tree: string): CpioEntry[] {
  if (!existsSync(join(tree, 'init'))) {
    throw new GuestError(`${tree} has no init: name the folder of what the guest begins with`);
  }
  const names = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
    .sort();
  const files: CpioEntry[] = [
    { type: 'file', path: 'bin/busybox', content: readFileSync(busybox), executable: true },
    ...names.map((path) => ({
      type: 'file' as const,
      path,
      content: readFileSync(join(tree, path)),
      executable: (statSync(join(tree, path)).mode & 0o100) !== 0,
    })),
  ];
  return [...foldersOf(files).map((path) => ({ type: 'directory' as const, path })), ...files];
}

/** Those that the files are in, each behind the one that it is in. */
function foldersOf(files: readonly CpioEntry[]): string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let one = dirname(path); one !== '.'; one = dirname(one)) folders.add(one);
  }
  return [...folders].sort();
}
