import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { elfModule } from './fixtures.ts';
import { findKernelModules } from './kernel-modules.ts';

const RELEASE = '6.12.117+deb13-amd64';

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'viommu-test-'));
});
afterEach(() => rmSync(tree, { recursive: true }));

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), content);
}

function module(depends: string, release = RELEASE): Buffer {
  return elfModule({ depends, vermagic: `${release} SMP preempt mod_unload ` });
}

function names(): string[] {
  return findKernelModules(tree, RELEASE, '/nowhere/busybox').map(({ name }) => name);
}

describe('findKernelModules', () => {
  it('loads nothing twice, and nothing before what it depends on', () => {
    put('modules.builtin', 'kernel/drivers/virtio/virtio.ko\n');
    put('kernel/drivers/virtio/virtio_pci.ko', module('virtio-ring,virtio'));
    put('kernel/drivers/virtio/virtio_ring.ko', module('virtio'));
    put('kernel/drivers/iommu/virtio-iommu.ko', module('virtio,virtio_ring'));
    put('kernel/drivers/block/virtio_blk.ko.gz', gzipSync(module('virtio_ring')));
    put('kernel/drivers/net/virtio_net.ko', module('virtio_ring'));
    expect(names()).toEqual(['virtio_ring', 'virtio_pci', 'virtio_iommu', 'virtio_blk']);
  });

  it('leaves out what is built in', () => {
    put(
      'modules.builtin',
      'kernel/a/virtio_pci.ko\nkernel/b/virtio_blk.ko\nkernel/c/virtio-iommu.ko\n',
    );
    expect(names()).toEqual([]);
  });

  it('takes virtio_rng along if there is one', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\na/virtio_iommu.ko\n');
    put('kernel/drivers/char/hw_random/virtio-rng.ko', module('rng-core'));
    put('kernel/drivers/char/hw_random/rng-core.ko', module(''));
    expect(names()).toEqual(['rng_core', 'virtio_rng']);
  });

  it('loads what it is told to in the order that it is told', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    put('kernel/virtio-iommu.ko', module('iova'));
    put('kernel/iova.ko', module(''));
    put('kernel/virtio_mmio.ko', module(''));
    const load = (...wanted: string[]) =>
      findKernelModules(tree, RELEASE, '/nowhere/busybox', wanted).map(({ name }) => name);
    expect(load('virtio_iommu', 'virtio_mmio')).toEqual(['iova', 'virtio_iommu', 'virtio_mmio']);
    expect(load('virtio_mmio', 'virtio_blk', 'virtio_iommu')).toEqual([
      'virtio_mmio',
      'iova',
      'virtio_iommu',
    ]);
    expect(() => load('virtio_net')).toThrow(/has no virtio_net.* the guest needs it/);
  });

  it('hands over the modules as they were before compression', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    put('kernel/virtio_iommu.ko.gz', gzipSync(module('')));
    const [iommu] = findKernelModules(tree, RELEASE, '/nowhere/busybox');
    expect(Buffer.compare(iommu!.content, module(''))).toBe(0);
  });

  it('says that the kernel has no driver', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    expect(names).toThrow(/has no virtio_iommu, neither as a module nor built in.*pass --kernel/);
  });

  it('says which module lacks what', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    put('kernel/virtio_iommu.ko', module('iova'));
    expect(names).toThrow(/has no iova.* virtio_iommu needs it/);
  });

  it('refuses modules of another kernel', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    put('kernel/virtio_iommu.ko', module('', '6.1.0-40-amd64'));
    expect(names).toThrow(/the kernel is 6\.12\.117\+deb13-amd64, but .* is for 6\.1\.0-40-amd64/);
  });

  it('refuses a folder that is no module tree', () => {
    expect(names).toThrow(`${tree} is no module tree`);
  });

  it('names the module that cannot be read, and why', () => {
    put('modules.builtin', 'a/virtio_pci.ko\na/virtio_blk.ko\n');
    put('kernel/virtio_iommu.ko.xz', 'x');
    expect(names).toThrow(/virtio_iommu\.ko\.xz cannot be read: \/nowhere\/busybox does not run/);
  });
});
