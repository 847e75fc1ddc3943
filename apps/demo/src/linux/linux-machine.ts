/** One stock guest against one server of ours: the set-up that `viommu linux` and the guest tests share. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeViot } from '@viommu/viot';
import { compileProgram } from '../guest/compiler.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import { type GuestStep, stepArguments } from '../guest/guest-steps.ts';
import { buildInitramfs } from '../guest/initramfs.ts';
import { ownDeviceArguments, qemuArguments } from '../guest/qemu-arguments.ts';
import { type GuestRun, type RunGuestOptions, runGuest } from '../guest/run-guest.ts';
import type { MachineDescription } from '../machine/machine-description.ts';
import { machineTopology } from '../machine/machine-topology.ts';
import { standardMachine } from '../machine/standard-machine.ts';
import { type Server, startServer } from '../server/server.ts';
import type { ServerMessage, ServerStatistics } from '../server/server-messages.ts';
import { makeDiskImage } from './disk-image.ts';

export interface LinuxMachineOptions {
  /** With a compiler where a DMA engine is passed through, for the program that drives it. */
  readonly parts: GuestParts;
  /** Size of each disk in bytes; one disk of 80 MiB when not given. */
  readonly diskBytes?: readonly number[];
  /** What the machine has, given the paths of its disks; the standard machine when not given. */
  readonly describe?: (disks: readonly string[]) => MachineDescription;
  readonly checkIsolation?: boolean;
  readonly onMessage?: (message: ServerMessage) => void;
  /** The built server thread, for callers that run from sources. */
  readonly threadFile?: string;
}

interface GuestBootOptions
  extends Pick<RunGuestOptions, 'signal' | 'timeoutSeconds' | 'onFact' | 'onLine'> {
  readonly steps: readonly GuestStep[];
  /** What to add to the kernel command line. */
  readonly append?: readonly string[];
  /** True when not given. */
  readonly sharedMemory?: boolean;
  /** The disks behind QEMU's own virtio-iommu and virtio-blk instead of ours; false when not given. */
  readonly ownDevices?: boolean;
  /** Disks to wait for; all of the machine when not given. */
  readonly disks?: readonly string[];
}

export interface LinuxMachine {
  readonly folder: string;
  /** Paths of the disk images, the guest's vda first. */
  readonly disks: readonly string[];
  readonly server: Server;
  /** Starts a QEMU and waits for its end; one after the other. */
  boot(options: GuestBootOptions): Promise<GuestRun>;
  /** Ends the server; the disks stay. */
  stop(): Promise<ServerStatistics>;
  /** Ends the server if it runs, and removes the folder. */
  close(): Promise<ServerStatistics>;
}

export const DEFAULT_DISK_BYTES = 80 << 20;

/** Makes disks, starts the server and writes the VIOT, in a temporary folder. */
export async function createLinuxMachine(options: LinuxMachineOptions): Promise<LinuxMachine> {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const disks = (options.diskBytes ?? [DEFAULT_DISK_BYTES]).map((bytes, index) => {
      const path = join(folder, `disk${index}.img`);
      makeDiskImage(path, bytes);
      return path;
    });
    const description = (options.describe ?? describeStandard)(disks);
    const vfioProgram = description.devices.some(({ kind }) => kind === 'engine')
      ? await compileVfioProgram(options.parts, folder)
      : undefined;
    const initramfs = join(folder, 'initramfs.gz');
    buildInitramfs({
      busybox: options.parts.busybox,
      modules: options.parts.modules,
      kernelRelease: options.parts.kernelRelease,
      output: initramfs,
      ...(vfioProgram === undefined ? {} : { vfioProgram }),
    });
    const viotFile = join(folder, 'viot.aml');
    writeFileSync(viotFile, writeViot(machineTopology(description)));
    const server = await startServer(
      { machine: description, socketDir: folder, checkIsolation: options.checkIsolation ?? false },
      options.onMessage ?? (() => {}),
      options.threadFile,
    );
    let statistics: Promise<ServerStatistics> | undefined;
    const stop = (): Promise<ServerStatistics> => {
      statistics ??= server.stop();
      return statistics;
    };
    return {
      folder,
      disks,
      server,
      stop,
      boot(guest) {
        const names = guest.disks ?? disks.map((_, index) => `vd${'ab'[index]}`);
        const { steps, append, sharedMemory, ownDevices: own, disks: _, ...run } = guest;
        return runGuest({
          qemu: options.parts.qemu,
          arguments: qemuArguments({
            machine: own
              ? { functions: [], more: ownDevices(description) }
              : {
                  functions: server.sockets,
                  viotFile,
                  bootBypass: description.iommus.every(({ bootBypass }) => bootBypass),
                  ...(sharedMemory === undefined ? {} : { sharedMemory }),
                },
            kernel: options.parts.kernel,
            initramfs,
            append: [...stepArguments(steps, names), ...(append ?? [])],
          }),
          ...run,
        });
      },
      async close() {
        try {
          return await stop();
        } finally {
          remove();
        }
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function describeStandard(disks: readonly string[]): MachineDescription {
  return standardMachine({ disks });
}

/** QEMU's own IOMMU and disks, at the addresses of ours. */
function ownDevices({ iommus, devices }: MachineDescription): string[] {
  const onPci = devices.flatMap((device) =>
    device.kind === 'disk' && device.place.bus === 'pci'
      ? [{ bdf: device.place.bdf, path: device.path }]
      : [],
  );
  const iommu = iommus[0]!.place;
  return iommu.bus === 'pci' ? ownDeviceArguments(iommu.bdf, onPci) : [];
}

async function compileVfioProgram({ compiler }: GuestParts, folder: string): Promise<string> {
  if (compiler === undefined) throw new Error('the parts have no compiler: ask for one');
  const program = join(folder, 'vfio-dma');
  await compileProgram(compiler, packageFile('guest/vfio-dma.c'), program);
  return program;
}

/** A file of this package, whether it runs from its sources or built. */
function packageFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, path);
}
