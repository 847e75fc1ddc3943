import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Architecture } from './architecture.ts';
import { checkQemu, isVersion, qemuVersion } from './qemu-program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that answers as a QEMU of that version would. */
function fakeQemu(
  version: string,
  devices: string,
  machine = 'q35                  Standard PC (Q35 + ICH9, 2009) (alias of pc-q35-11.1)',
): string {
  const path = join(folder, `qemu-${version}`);
  writeFileSync(
    path,
    `#!/bin/sh
case $1 in
--version) echo "QEMU emulator version ${version} (Debian 1:${version}+ds-1)" ;;
-machine) [ "$2" = help ] && echo '${machine}' || echo '${devices}' ;;
esac
`,
  );
  chmodSync(path, 0o755);
  return path;
}

async function check(path: string, architecture?: Architecture) {
  return checkQemu({ command: path, arguments: [], environment: {} }, path, architecture);
}

describe('checkQemu', () => {
  it('takes a QEMU that knows vfio-user-pci', async () => {
    const path = fakeQemu('10.1.0', 'name "vfio-user-pci", bus PCI');
    await expect(check(path)).resolves.toMatchObject({ command: path, version: '10.1.0' });
  });

  it('refuses an older one', async () => {
    const path = fakeQemu('10.0.13', 'name "vfio-user-pci", bus PCI');
    await expect(check(path)).rejects.toThrow(
      `${path} is QEMU 10.0.13; 10.1 or newer is needed, for its vfio-user-pci`,
    );
  });

  it('refuses one without the device', async () => {
    const path = fakeQemu('11.0.0', 'name "vfio-pci", bus PCI');
    await expect(check(path)).rejects.toThrow('was built without vfio-user-pci');
  });

  it('tells the architectures apart by their machines', async () => {
    const devices = 'name "vfio-user-pci", bus PCI';
    const arm = fakeQemu(
      '11.1.3',
      devices,
      'virt   QEMU 11.1 ARM Virtual Machine (alias of virt-11.1)',
    );
    await expect(check(arm, 'arm64')).resolves.toMatchObject({ version: '11.1.3' });
    await expect(check(arm)).rejects.toThrow(
      `${arm} emulates no x86_64 machine; it takes a qemu-system-x86_64`,
    );
    const other = fakeQemu('11.1.2', devices, 'virt   RISC-V VirtIO board');
    await expect(check(other, 'arm64')).rejects.toThrow('it takes a qemu-system-aarch64');
  });

  it('refuses what is not there, and what is not QEMU', async () => {
    await expect(check('/nowhere/qemu')).rejects.toThrow('/nowhere/qemu does not run');
    await expect(check('/bin/true')).rejects.toThrow('/bin/true does not say that it is QEMU');
  });
});

describe('versions', () => {
  it('are read from what QEMU prints', () => {
    expect(qemuVersion('QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1)\n')).toBe(
      '11.1.3',
    );
    expect(qemuVersion('QEMU emulator version 10.1.50\n')).toBe('10.1.50');
    expect(qemuVersion('busybox 1.37')).toBeUndefined();
  });

  it('are compared by number', () => {
    expect(isVersion('10.1.0', 10, 1)).toBe(true);
    expect(isVersion('10.10.0', 10, 2)).toBe(true);
    expect(isVersion('9.2.0', 10, 1)).toBe(false);
    expect(isVersion('11.0.0', 10, 1)).toBe(true);
  });
});
