/** The folder that a page fetches its guest from. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { V86GuestParts } from './guest-parts.ts';
import { makePageFolder, type PageGuest } from './page-folder.ts';

describe('makePageFolder', () => {
  let work: string;
  let parts: V86GuestParts;
  let tree: string;
  let folder: string;

  const write = (path: string, content: string, mode = 0o644): string => {
    mkdirSync(join(work, path, '..'), { recursive: true });
    writeFileSync(join(work, path), content);
    chmodSync(join(work, path), mode);
    return join(work, path);
  };
  const read = (name: string) => readFileSync(join(folder, name));

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'viommu-page-'));
    mkdirSync(join(work, 'page'));
    folder = join(work, 'page/guest');
    tree = join(work, 'tree');
    write('parts/licences/GPL-2', 'the licence');
    write('parts/kernel.config', 'CONFIG_VIRTIO_IOMMU=y');
    parts = {
      directory: join(work, 'parts'),
      kernel: write('parts/bzImage', 'a kernel'),
      modules: join(work, 'parts/modules'),
      kernelRelease: '6.12.0-viommu',
      busybox: write('parts/busybox', 'a busybox', 0o755),
      bios: write('parts/bios.bin', 'a bios'),
      vgaBios: write('parts/vgabios-stdvga.bin', 'a vga bios'),
      licence: write('parts/LICENCES.txt', 'who wrote it'),
      pageBytes: 0,
    };
    write('tree/init', '#!/bin/busybox sh', 0o755);
    write('tree/etc/deep/note', 'a note');
  });

  afterEach(() => rmSync(work, { recursive: true, force: true }));

  it('has every part compressed, as its list says, with the licences', () => {
    const bytes = makePageFolder(parts, tree, folder);
    const guest = JSON.parse(read('guest.json').toString()) as PageGuest;
    expect(guest.kernelRelease).toBe('6.12.0-viommu');
    const contents = Object.fromEntries(
      guest.files.map(({ part, file, bytes: length }) => {
        expect(read(file).length).toBe(length);
        return [part, gunzipSync(read(file)).toString('latin1')];
      }),
    );
    expect(contents).toMatchObject({ kernel: 'a kernel', bios: 'a bios', vgaBios: 'a vga bios' });
    expect(bytes).toBe(guest.files.reduce((sum, one) => sum + one.bytes, 0));
    expect(read('LICENCES.txt').toString()).toBe('who wrote it');
    expect(read('licences/GPL-2').toString()).toBe('the licence');
    expect(read('kernel.config').toString()).toContain('VIRTIO_IOMMU');
    // In an archive of this form a name comes behind a header that has its mode, and each folder before what is in it.
    const names = [
      ...contents.initramfs!.matchAll(/070701[\da-f]{8}([\da-f]{8})[\da-f]{88}([^\0]+)\0/g),
    ];
    expect(
      names.map(([, mode, name]) => `${Number.parseInt(mode!, 16).toString(8)} ${name}`),
    ).toEqual([
      '40755 bin',
      '40755 etc',
      '40755 etc/deep',
      '100755 bin/busybox',
      '100644 etc/deep/note',
      '100755 init',
      '0 TRAILER!!!',
    ]);
  });

  it('takes the place of what was there, and leaves it when it cannot be made', () => {
    makePageFolder(parts, tree, folder);
    writeFileSync(join(folder, 'old'), '');
    makePageFolder(parts, tree, folder);
    expect(readdirSync(folder)).not.toContain('old');
    rmSync(parts.licence);
    expect(() => makePageFolder(parts, tree, folder)).toThrow(/cannot be written/);
    expect(read('LICENCES.txt').toString()).toBe('who wrote it');
    expect(readdirSync(join(folder, '..'))).toEqual(['guest']);
  });

  it('is made nowhere but in a folder that is there', () => {
    expect(() => makePageFolder(parts, tree, join(work, 'none/guest'))).toThrow(
      /cannot be written/,
    );
    expect(readdirSync(work)).not.toContain('none');
  });

  it('wants an init', () => {
    rmSync(join(tree, 'init'));
    expect(() => makePageFolder(parts, tree, folder)).toThrow(/has no init/);
  });
});
