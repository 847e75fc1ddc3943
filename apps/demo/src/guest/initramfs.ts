/** Builds the guest's initial file system: busybox, the modules it loads, and `/init`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { writeCpio } from '@viommu/initramfs';

import { GUEST_INIT } from './guest-init.ts';
import { findKernelModules, STANDARD_MODULES, VFIO_MODULES } from './kernel-modules.ts';

export interface InitramfsOptions {
  /** A statically linked busybox that runs in the guest. */
  readonly busybox: string;
  /** One that runs here; the same when not given. */
  readonly hostBusybox?: string;
  /** The `/lib/modules/RELEASE` tree of the kernel that is to boot. */
  readonly modules: string;
  /** That kernel's release. */
  readonly kernelRelease: string;
  /** Modules to load, in this order, each after the ones it depends on; {@link STANDARD_MODULES} when not given. */
  readonly load?: readonly string[];
  /** A static program that drives a device with VFIO; it and the modules for it are left out when not given. */
  readonly vfioProgram?: string;
  /** The file to write. */
  readonly output: string;
}

/**
 * Writes the initial file system, compressed with gzip. The same parts give the same bytes.
 *
 * @returns the names of the modules in it, in the order in which `/init` loads them
 * @throws {CommandError} when the kernel does not have one of the modules, or a module cannot be read
 */
export function buildInitramfs(options: InitramfsOptions): string[] {
  const { vfioProgram, load = STANDARD_MODULES } = options;
  const modules = findKernelModules(
    options.modules,
    options.kernelRelease,
    options.hostBusybox ?? options.busybox,
    [...load, ...(vfioProgram === undefined ? [] : VFIO_MODULES)],
  );
  const order = modules.map((module) => module.name);
  const archive = writeCpio([
    { type: 'directory', path: 'bin' },
    {
      type: 'file',
      path: 'bin/busybox',
      content: readFileSync(options.busybox),
      executable: true,
    },
    ...(vfioProgram === undefined
      ? []
      : [
          {
            type: 'file' as const,
            path: 'bin/vfio-dma',
            content: readFileSync(vfioProgram),
            executable: true,
          },
        ]),
    { type: 'file', path: 'init', content: Buffer.from(GUEST_INIT), executable: true },
    { type: 'directory', path: 'modules' },
    ...modules.map(({ name, content }) => ({
      type: 'file' as const,
      path: `modules/${name}.ko`,
      content,
    })),
    {
      type: 'file',
      path: 'modules/order',
      content: Buffer.from(order.map((name) => `${name}.ko\n`).join('')),
    },
  ]);
  writeFileSync(options.output, gzipSync(archive, { level: 1 }));
  return order;
}
