/** One stock guest against one server of ours: the set-up that `viommu linux` and the guest tests share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineDescription } from '@viommu/machine';
import { standardMachine } from '@viommu/machine';
import type { GuestRun } from '../guest/follow-guest.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import { type GuestStep, stepArguments } from '../guest/guest-steps.ts';
import type { MachineArguments } from '../guest/machine-types/machine-type.ts';
import { ownDeviceArguments, qemuArguments } from '../guest/qemu-arguments.ts';
import { type RunGuestOptions, runGuest } from '../guest/run-guest.ts';
import { type Server, startServer } from '../server/server.ts';
import type { ServerMessage, ServerStatistics, ServerWatcher } from '../server/server-messages.ts';
import type { StraySettings } from '../server/stray-access.ts';
import type { RecordSettings } from '../trace/record-settings.ts';
import { makeDiskImage } from './disk-image.ts';
import { type Download, startGuestNetwork } from './guest-network.ts';
import { makeInitramfs } from './make-initramfs.ts';
import { observeWindows } from './observe-windows.ts';
import { arm64Platform } from './platforms/arm64-platform.ts';
import type { Platform, PlatformFacts } from './platforms/platform.ts';
import { X86_PLATFORM } from './platforms/x86-platform.ts';
import { WindowsWatch } from './windows-watch.ts';

/** What a machine can be made of: the paths of its disks and of its network, and what the platform dictates. */
export interface MachineSetting extends PlatformFacts {
  readonly disks: readonly string[];
  /** The socket of passt, when there is something to download. */
  readonly network?: string;
}

export interface LinuxMachineOptions {
  /** With a compiler where a DMA engine is passed through, for the program that drives it, and passt for a download. */
  readonly parts: GuestParts;
  /** How much a guest can download from this host; there is no network when not given. */
  readonly downloadBytes?: number;
  /** Size of each disk in bytes; one disk of 80 MiB when not given. */
  readonly diskBytes?: readonly number[];
  /** What the machine has; the standard machine when not given. */
  readonly describe?: (setting: MachineSetting) => MachineDescription;
  /** Modules that the guest loads, in this order; those for an IOMMU and disks on PCI when not given. */
  readonly load?: readonly string[];
  readonly checkIsolation?: boolean;
  /** A device that goes astray. */
  readonly stray?: StraySettings;
  /** Where to record what the devices see, if at all. */
  readonly record?: Omit<RecordSettings, 'contents'>;
  /** Whoever watches the machine. */
  readonly watcher?: ServerWatcher;
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
  /** Disks and network behind QEMU's own virtio-iommu, as QEMU's own devices instead of ours; false when not given. */
  readonly ownDevices?: boolean;
  /** Disks to wait for; all of the machine when not given. */
  readonly disks?: readonly string[];
}

export interface LinuxMachine {
  readonly folder: string;
  /** Paths of the disk images, the guest's vda first. */
  readonly disks: readonly string[];
  /** There when it was asked for. */
  readonly download: Download | undefined;
  readonly server: Server;
  /** Starts a QEMU and waits for its end; one after the other. */
  boot(options: GuestBootOptions): Promise<GuestRun>;
  /** Ends the server; the disks stay. */
  stop(): Promise<ServerStatistics>;
  /** Ends the server if it runs, and removes the folder. */
  close(): Promise<ServerStatistics>;
}

export const DEFAULT_DISK_BYTES = 80 << 20;

/** Makes disks, starts the server and tells the guest the topology, in a temporary folder. */
export async function createLinuxMachine(options: LinuxMachineOptions): Promise<LinuxMachine> {
  const { parts } = options;
  const folder = mkdtempSync(join(tmpdir(), 'viommu-'));
  /** What to do when it is all over, the last first. */
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    while (closers.length > 0) await closers.pop()!();
  };
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const images = (options.diskBytes ?? [DEFAULT_DISK_BYTES]).map((bytes, index) => {
      const path = join(folder, `disk${index}.img`);
      return { path, content: makeDiskImage(path, bytes) };
    });
    const disks = images.map(({ path }) => path);
    const { downloadBytes } = options;
    const network =
      downloadBytes === undefined
        ? undefined
        : await startGuestNetwork(parts.passt!, folder, downloadBytes);
    if (network !== undefined) closers.push(network.close);
    const platform = await platformOf(parts, folder);
    const description = (options.describe ?? standardMachine)({
      disks,
      ...platform,
      ...(network === undefined ? {} : { network: network.socketPath }),
    });
    const initramfs = await makeInitramfs(parts, description, { folder, load: options.load });
    const windows = new WindowsWatch(description.windows?.length ?? 0);
    const server = await startServer(
      {
        machine: description,
        socketDir: folder,
        checkIsolation: options.checkIsolation ?? false,
        ...(options.stray === undefined ? {} : { stray: options.stray }),
        ...(options.record === undefined
          ? {}
          : { record: { ...options.record, contents: images.map(({ content }) => content) } }),
      },
      (message) => {
        windows.see(message);
        options.onMessage?.(message);
      },
      { watcher: options.watcher, threadFile: options.threadFile },
    );
    let statistics: Promise<ServerStatistics> | undefined;
    const stop = (): Promise<ServerStatistics> => {
      statistics ??= server.stop();
      return statistics;
    };
    // Whoever asks for the statistics is told why there are none.
    closers.push(() => stop().catch(() => {}));
    const { architecture } = parts;
    const guestArguments = (machine: Partial<MachineArguments>, append: readonly string[]) =>
      qemuArguments({
        machine: { architecture, functions: server.sockets, ...machine },
        kernel: parts.kernel,
        initramfs,
        append,
      });
    const told = await platform.tellTopology({
      description,
      folder,
      observeWindows: () => observeWindows(parts.qemu, guestArguments({}, []), windows),
    });
    const bootBypass = description.iommus.every((iommu) => iommu.bootBypass);
    return {
      folder,
      disks,
      download: network?.download,
      server,
      stop,
      async boot(guest) {
        const names = guest.disks ?? disks.map((_, index) => `vd${'ab'[index]}`);
        const { steps, append, sharedMemory = true, ownDevices: own, disks: _, ...run } = guest;
        const plug = own ? await network?.plug() : undefined;
        try {
          const machine = own
            ? { functions: [], more: ownDevices(description, plug?.socketPath) }
            : { ...told, bootBypass, sharedMemory };
          return await runGuest({
            qemu: parts.qemu,
            arguments: guestArguments(machine, [...stepArguments(steps, names), ...(append ?? [])]),
            ...run,
            signal: AbortSignal.any([server.failure, ...(run.signal ? [run.signal] : [])]),
          });
        } finally {
          plug?.close();
        }
      },
      async close() {
        try {
          return await stop();
        } finally {
          await closeAll();
        }
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function platformOf(parts: GuestParts, folder: string): Platform | Promise<Platform> {
  return parts.architecture === 'x86_64' ? X86_PLATFORM : arm64Platform(parts, folder);
}

/**
 * QEMU's own IOMMU and what is behind it, at the addresses of ours.
 *
 * @param socketPath of passt, if there is a network
 */
function ownDevices({ iommus, devices }: MachineDescription, socketPath?: string): string[] {
  const onPci = devices.flatMap((device) =>
    device.kind === 'disk' && device.place.bus === 'pci'
      ? [{ bdf: device.place.bdf, path: device.path }]
      : [],
  );
  const net = devices.find(({ kind }) => kind === 'net')?.place;
  const network = net?.bus === 'pci' && socketPath ? { bdf: net.bdf, socketPath } : undefined;
  const iommu = iommus[0]!.place;
  return iommu.bus === 'pci' ? ownDeviceArguments(iommu.bdf, onPci, network) : [];
}
