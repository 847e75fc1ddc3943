import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bzImage, elfProgram } from './fixtures.ts';
import { prepareGuestParts } from './guest-parts.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  mkdirSync(join(folder, 'modules'));
  writeFileSync(join(folder, 'vmlinuz'), bzImage('6.12.117-test (me)'));
  writeFileSync(join(folder, 'busybox'), elfProgram(1));
  writeFileSync(join(folder, 'dynamic'), elfProgram(3, 1));
  writeFileSync(
    join(folder, 'qemu'),
    `#!/bin/sh
[ "$1" = --version ] && echo "QEMU emulator version 10.1.2"
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
      qemu: { command: own('qemu'), arguments: [], environment: {}, version: '10.1.2' },
      kernel: own('vmlinuz'),
      kernelRelease: '6.12.117-test',
      modules: own('modules'),
      busybox: own('busybox'),
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

  it('refuses a busybox that would not start in the guest', async () => {
    await expect(prepareGuestParts({ busybox: own('dynamic') })).rejects.toThrow(
      'pass a busybox that is linked statically',
    );
  });
});
