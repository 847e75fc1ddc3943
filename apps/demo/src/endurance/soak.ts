/** The soak run: guests that use disk and network, take devices from their drivers and back, and restart; is the server as it was? */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineDescription } from '@viommu/machine';
import { machineTopology, socketNames, standardMachine } from '@viommu/machine';
import { writeViot } from '@viommu/viot';
import { CommandError } from '../command-error.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import { type GuestStep, stepArguments } from '../guest/guest-steps.ts';
import { buildInitramfs } from '../guest/initramfs.ts';
import { STANDARD_MODULES } from '../guest/kernel-modules.ts';
import { plainDiskArguments, qemuArguments } from '../guest/qemu-arguments.ts';
import { runGuest } from '../guest/run-guest.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { type Download, startGuestNetwork } from '../linux/guest-network.ts';
import { useAtRest } from './process-use.ts';
import { startSoakServer } from './soak-process.ts';
import { SoakRecord, type SoakSummary } from './soak-record.ts';

export interface SoakOptions {
  /** With passt, for a network. */
  readonly parts: GuestParts;
  readonly minutes: number;
  readonly signal: AbortSignal;
  /** Takes a line for each interval. */
  readonly onInterval: (text: string) => void;
  /** The built server; only tests that run from sources name it. */
  readonly serverFile?: string;
}

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 16 * MEBIBYTE;
const FETCH_BYTES = 2 * MEBIBYTE;
/** Where the disk of QEMU's own is: behind all others, so that it is the guest's vdc. */
const REFERENCE_BDF = 0x1e << 3;
/** One QEMU lives so long at most, and two at least follow each other; in the middle its guest restarts. */
const LONGEST_SESSION_MINUTES = 5;
/** What a guest needs to boot, about; what remains of its time it is busy. */
const BOOT_SECONDS = 8;
const SHORTEST_SECONDS = 10;
/** Of a machine that does much else. */
const LONGEST_BOOT_SECONDS = 150;
const INTERVALS = 12;
const [SHORTEST_INTERVAL, LONGEST_INTERVAL] = [5_000, 60_000];

/** @throws {CommandError} when a guest does not get through its steps, or the server ends */
export async function runSoak(options: SoakOptions): Promise<SoakSummary> {
  const { parts, minutes, signal } = options;
  const folder = mkdtempSync(join(tmpdir(), 'viommu-soak-'));
  const path = (name: string): string => join(folder, name);
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    const disks = ['disk0.img', 'disk1.img'].map(path);
    const reference = path('reference.img');
    for (const disk of [...disks, reference]) makeDiskImage(disk, DISK_BYTES);
    const network = await startGuestNetwork(parts.passt!, folder, FETCH_BYTES);
    closers.push(() => network.close());
    const machine = standardMachine({ disks, network: network.socketPath });
    writeFileSync(path('viot.aml'), writeViot(machineTopology(machine)));
    const load = [...STANDARD_MODULES, 'virtio_net'];
    buildInitramfs({ ...parts, load, output: path('initramfs.gz') });
    const server = await startSoakServer({ machine, socketDir: folder }, options.serverFile);
    closers.push(() => server.end());
    const before = await useAtRest(server.pid);
    const record = new SoakRecord(server, before, options.onInterval);
    const sessions = Math.max(2, Math.ceil(minutes / LONGEST_SESSION_MINUTES));
    const seconds = Math.max(
      SHORTEST_SECONDS,
      Math.round((minutes * 60) / sessions / 2 - BOOT_SECONDS),
    );
    const interval = Math.min(
      LONGEST_INTERVAL,
      Math.max(SHORTEST_INTERVAL, (minutes * 60_000) / INTERVALS),
    );
    const step = soakStep(seconds, network.download);
    const stopSampling = record.sampleEvery(interval);
    try {
      for (let session = 0; session < sessions; session += 1) {
        const run = await runGuest({
          qemu: parts.qemu,
          arguments: qemuArguments({
            machine: {
              functions: functionsOf(machine, folder),
              viotFile: path('viot.aml'),
              bootBypass: true,
              more: plainDiskArguments(REFERENCE_BDF, reference),
            },
            kernel: parts.kernel,
            initramfs: path('initramfs.gz'),
            append: stepArguments([step, { step: 'reboot' }, step], ['vda', 'vdb', 'vdc']),
          }),
          timeoutSeconds: 2 * (seconds + LONGEST_BOOT_SECONDS),
          signal,
          onFact: (fact) => record.fact(fact),
        });
        signal.throwIfAborted();
        if (run.problem !== undefined) throw new CommandError(`a guest: ${run.problem}`);
        record.sessions += 1;
      }
    } finally {
      await stopSampling();
    }
    return record.summary(await useAtRest(server.pid));
  } finally {
    while (closers.length > 0) await closers.pop()!();
  }
}

function soakStep(seconds: number, { url, bytes, sha256 }: Download): GuestStep {
  return {
    step: 'soak',
    seconds,
    disk: 'vda',
    otherDisk: 'vdb',
    referenceDisk: 'vdc',
    url,
    bytes,
    sha256,
  };
}

/** The sockets that the server makes, with their addresses. */
function functionsOf(machine: MachineDescription, folder: string) {
  const names = socketNames(machine);
  return [
    ...machine.iommus.map(({ place }) => ({ name: 'iommu', place })),
    ...machine.devices.map(({ place }, index) => ({ name: names[index]!, place })),
  ].flatMap(({ name, place }) =>
    place.bus === 'pci' ? [{ bdf: place.bdf, socketPath: join(folder, `${name}.sock`) }] : [],
  );
}
