import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePart } from '@viommu/debian-archive';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armImage, bzImage, elfProgram } from './fixtures.ts';
import { guestPartsAreCached, prepareGuestParts } from './guest-parts.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  mkdirSync(join(folder, 'modules'));
  writeFileSync(join(folder, 'vmlinuz'), bzImage('6.12.117-test (me)'));
  writeFileSync(join(folder, 'busybox'), elfProgram([1]));
  writeFileSync(join(folder, 'dynamic'), elfProgram([3, 1]));
  writeFileSync(join(folder, 'Image'), armImage('6.12.117-arm (me)'));
  writeFileSync(join(folder, 'busybox-arm64'), elfProgram([1], 183));
  writeFileSync(
    join(folder, 'qemu'),
    `#!/bin/sh
[ "$1" = --version ] && echo "QEMU emulator version 10.1.2"
echo 'q35 Standard PC'
echo 'virt ARM Virtual Machine'
echo 'name "vfio-user-pci", bus PCI'
`,
  );
  chmodSync(join(folder, 'qemu'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function own(name: string): string {
  return join(folder, name);
}

describe("prepareGuestParts with the user's own", () => {
  it('takes them and fetches nothing', async () => {
    const parts = await prepareGuestParts({
      qemu: own('qemu'),
      kernel: own('vmlinuz'),
      modules: own('modules'),
      busybox: own('busybox'),
      cache: own('cache'),
    });
    expect(parts).toEqual({
      architecture: 'x86_64',
      qemu: { command: own('qemu'), arguments: [], environment: {}, version: '10.1.2' },
      kernel: own('vmlinuz'),
      kernelRelease: '6.12.117-test',
      modules: own('modules'),
      busybox: own('busybox'),
      hostBusybox: own('busybox'),
    });
  });

  it('takes a compiler only when one is needed', async () => {
    const parts = await prepareGuestParts({
      qemu: own('qemu'),
      kernel: own('vmlinuz'),
      modules: own('modules'),
      busybox: own('busybox'),
      cc: 'mycc',
      compiler: true,
      cache: own('cache'),
    });
    expect(parts.compiler?.command).toBe('mycc');
  });

  it('takes those of an arm64 guest, with a busybox from the cache to unpack its modules', async () => {
    const cache = own('cache-with-busybox');
    await writePart(join(cache, 'busybox'), async (part) => {
      writeFileSync(join(part, 'busybox'), elfProgram([1]));
      return { packages: [], files: ['busybox'] };
    });
    const parts = await prepareGuestParts({
      architecture: 'arm64',
      qemu: own('qemu'),
      kernel: own('Image'),
      modules: own('modules'),
      busybox: own('busybox-arm64'),
      dtc: 'my-dtc',
      cache,
    });
    expect(parts).toMatchObject({
      architecture: 'arm64',
      kernelRelease: '6.12.117-arm',
      busybox: own('busybox-arm64'),
      hostBusybox: join(cache, 'busybox', 'busybox'),
      dtc: { command: 'my-dtc', arguments: [] },
    });
  });

  it.each([
    ['modules without a kernel', { modules: '/lib/modules' }, '--modules goes with --kernel'],
    ['a kernel that is not there', { kernel: '/nowhere/vmlinuz' }, 'cannot be read: ENOENT'],
    ['a busybox that is not there', { busybox: '/nowhere/busybox' }, 'cannot be used: ENOENT'],
    ['a QEMU that is not there', { qemu: '/nowhere/qemu' }, '/nowhere/qemu does not run'],
  ])('refuses %s', async (_, options, message) => {
    await expect(prepareGuestParts(options)).rejects.toThrow(message);
  });

  it('says where the modules of the kernel should be', async () => {
    await expect(prepareGuestParts({ kernel: own('vmlinuz') })).rejects.toThrow(
      /the modules of .* are not in \/lib\/modules\/6\.12\.117-test; pass --modules/,
    );
  });

  it('refuses a busybox of another architecture', async () => {
    await expect(
      prepareGuestParts({ architecture: 'arm64', busybox: own('busybox') }),
    ).rejects.toThrow('busybox is not for arm64, which the guest is');
  });

  it('refuses a busybox that would not start in the guest', async () => {
    await expect(prepareGuestParts({ busybox: own('dynamic') })).rejects.toThrow(
      'pass a busybox that is linked statically',
    );
  });
});

describe('guestPartsAreCached', () => {
  it('looks at the parts of that guest and at no others', async () => {
    const cache = own('cache-of-arm64');
    for (const name of ['qemu-arm64', 'linux-arm64', 'busybox-arm64', 'busybox', 'table-tools']) {
      expect(guestPartsAreCached({ architecture: 'arm64', cache })).toBe(false);
      await writePart(join(cache, name), async () => ({ packages: [], files: [] }));
    }
    expect(guestPartsAreCached({ architecture: 'arm64', cache })).toBe(true);
    expect(guestPartsAreCached({ architecture: 'arm64', pages: '16k', cache })).toBe(false);
    expect(guestPartsAreCached({ cache })).toBe(false);
    expect(guestPartsAreCached({ qemu: 'q', kernel: 'k', cache })).toBe(true);
  });
});
