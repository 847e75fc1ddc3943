import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { elfModule } from './fixtures.ts';
import { GUEST_INIT } from './guest-init.ts';
import { buildInitramfs } from './initramfs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-test-'));
  const vermagic = '6.12.1 SMP ';
  writeFileSync(join(folder, 'modules.builtin'), 'a/virtio_pci.ko\n');
  writeFileSync(join(folder, 'virtio-iommu.ko'), elfModule({ vermagic, depends: '' }));
  writeFileSync(join(folder, 'virtio_blk.ko'), elfModule({ vermagic, depends: 'virtio_iommu' }));
  writeFileSync(join(folder, 'busybox'), 'BUSYBOX');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Mode and content of each entry, read back with a reader of its own. */
function unpack(archive: Buffer): Map<string, { mode: number; content: string }> {
  const entries = new Map<string, { mode: number; content: string }>();
  for (let at = 0; at < archive.length; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number): number =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + field(11);
    const begin = (nameEnd + 3) & ~3;
    const name = archive.toString('latin1', at + 110, nameEnd - 1);
    const content = archive.toString('utf8', begin, begin + field(6));
    entries.set(name, { mode: field(1), content });
    at = (begin + field(6) + 3) & ~3;
  }
  return entries;
}

describe('buildInitramfs', () => {
  it('holds a program that drives a device, when there is one', () => {
    const output = join(folder, 'vfio.gz');
    for (const name of ['vfio_iommu_type1', 'vfio_pci']) {
      writeFileSync(
        join(folder, `${name}.ko`),
        elfModule({ depends: '', vermagic: '6.12.1 SMP ' }),
      );
    }
    const order = buildInitramfs({
      busybox: join(folder, 'busybox'),
      modules: folder,
      kernelRelease: '6.12.1',
      vfioProgram: join(folder, 'busybox'),
      output,
    });
    expect(order).toEqual(['virtio_iommu', 'virtio_blk', 'vfio_iommu_type1', 'vfio_pci']);
    const entries = unpack(gunzipSync(readFileSync(output)));
    expect(entries.get('bin/vfio-dma')).toEqual({ mode: 0o100755, content: 'BUSYBOX' });
  });

  it('loads the modules that it is told to, in their order', () => {
    const order = buildInitramfs({
      busybox: join(folder, 'busybox'),
      modules: folder,
      kernelRelease: '6.12.1',
      load: ['virtio_blk', 'virtio_pci'],
      output: join(folder, 'load.gz'),
    });
    expect(order).toEqual(['virtio_iommu', 'virtio_blk']);
  });

  it('holds busybox, /init, the modules and their order, and nothing else', () => {
    const output = join(folder, 'initramfs.gz');
    const order = buildInitramfs({
      busybox: join(folder, 'busybox'),
      modules: folder,
      kernelRelease: '6.12.1',
      output,
    });
    expect(order).toEqual(['virtio_iommu', 'virtio_blk']);
    const entries = unpack(gunzipSync(readFileSync(output)));
    expect([...entries.keys()]).toEqual([
      'bin',
      'bin/busybox',
      'init',
      'modules',
      'modules/virtio_iommu.ko',
      'modules/virtio_blk.ko',
      'modules/order',
      'TRAILER!!!',
    ]);
    expect(entries.get('bin/busybox')).toEqual({ mode: 0o100755, content: 'BUSYBOX' });
    expect(entries.get('init')).toEqual({ mode: 0o100755, content: GUEST_INIT });
    expect(entries.get('modules/order')!.content).toBe('virtio_iommu.ko\nvirtio_blk.ko\n');
  });
});
