/** The initial file system of a guest, with the program that drives a device from user space where there is one to drive. */
import { join } from 'node:path';
import type { MachineDescription } from '@viommu/machine';
import { compileProgram } from '../guest/compiler.ts';
import type { GuestPrograms } from '../guest/guest-programs.ts';
import { buildInitramfs, type InitramfsOptions } from '../guest/initramfs.ts';
import { packageFile } from '../package-file.ts';

type InitramfsParts = Pick<GuestPrograms, 'compiler'> &
  Pick<InitramfsOptions, 'busybox' | 'hostBusybox' | 'modules' | 'kernelRelease'>;

interface InitramfsPlace {
  readonly folder: string;
  /** Modules that the guest loads. */
  readonly load: readonly string[] | undefined;
}

/** @returns the path of the file */
export async function makeInitramfs(
  parts: InitramfsParts,
  { devices }: Pick<MachineDescription, 'devices'>,
  { folder, load }: InitramfsPlace,
): Promise<string> {
  const output = join(folder, 'initramfs.gz');
  const vfioProgram = devices.some(({ kind }) => kind === 'engine')
    ? await compileVfioProgram(parts, folder)
    : undefined;
  buildInitramfs({
    ...parts,
    output,
    ...(load === undefined ? {} : { load }),
    ...(vfioProgram === undefined ? {} : { vfioProgram }),
  });
  return output;
}

async function compileVfioProgram({ compiler }: InitramfsParts, folder: string): Promise<string> {
  if (compiler === undefined) throw new Error('the parts have no compiler: ask for one');
  const program = join(folder, 'vfio-dma');
  await compileProgram(compiler, packageFile('guest/vfio-dma.c'), program);
  return program;
}
