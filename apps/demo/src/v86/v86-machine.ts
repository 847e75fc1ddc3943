/** One stock guest in v86, with our devices on its bus: what `createLinuxMachine` is with QEMU, in one thread of this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { standardMachine } from '@viommu/machine';
import type { V86GuestParts } from '@viommu/v86-guest';
import { CommandError, messageOf } from '../command-error.ts';
import { followGuest, type GuestOutput, type RunningGuest } from '../guest/follow-guest.ts';
import type { GuestPrograms } from '../guest/guest-programs.ts';
import { stepArguments } from '../guest/guest-steps.ts';
import { LineSplitter } from '../guest/line-splitter.ts';
import { Q35 } from '../guest/machine-types/q35.ts';
import { kernelCommandLine } from '../guest/qemu-arguments.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { type GuestNetwork, startGuestNetwork } from '../linux/guest-network.ts';
import {
  DEFAULT_DISK_BYTES,
  type LinuxMachine,
  type LinuxMachineOptions,
} from '../linux/linux-machine.ts';
import { makeInitramfs } from '../linux/make-initramfs.ts';
import type { PlatformFacts } from '../linux/platforms/platform.ts';
import { X86_PLATFORM } from '../linux/platforms/x86-platform.ts';
import type { ServerStatistics } from '../server/server-messages.ts';
import type { V86Message, V86Settings, V86Stop } from './v86-messages.ts';

export interface V86MachineOptions extends Omit<LinuxMachineOptions, 'parts'> {
  /** With passt for a download, and a compiler where a DMA engine is passed through. */
  readonly parts: V86GuestParts & GuestPrograms;
}

/** It boots once. */
export type V86Machine = Pick<LinuxMachine, 'disks' | 'download' | 'boot' | 'stop' | 'close'>;

const THREAD = fileURLToPath(new URL('./v86-thread.js', import.meta.url));
const MEMORY_MEBIBYTES = 128;
/** Linux would take the emulator's time stamp counter for unstable, and what it has besides for its clock is coarse. */
const V86_KERNEL = {
  console: Q35.console,
  kernelParameters: [...Q35.kernelParameters, 'tsc=reliable'],
};
/**
 * A function with windows is a virtio function without capabilities: Linux disables the interrupt lines of the bus until a driver enables
 * a function on them, as its virtio-pci does before it finds that, and leaves it so.
 */
const PLATFORM: PlatformFacts = {
  ...X86_PLATFORM,
  windowsIdentity: { vendorId: 0x1af4, deviceId: 0x107f },
};
/** What Linux says last: v86 has no power to turn off, and goes on. */
const POWERED_DOWN = 'reboot: Power down';

/** Makes disks, the guest's initial file system and its network, in a temporary folder. */
export async function createV86Machine(options: V86MachineOptions): Promise<V86Machine> {
  const { parts, load, downloadBytes } = options;
  const folder = mkdtempSync(join(tmpdir(), 'viommu-'));
  let network: GuestNetwork | undefined;
  const remove = () => {
    network?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  let thread: V86Thread | undefined;
  const stop = () => {
    if (thread === undefined) throw new Error('the guest was not booted');
    return thread.finish();
  };
  try {
    const images = (options.diskBytes ?? [DEFAULT_DISK_BYTES]).map((bytes, index) => {
      const path = join(folder, `disk${index}.img`);
      return { path, content: makeDiskImage(path, bytes) };
    });
    const disks = images.map(({ path }) => path);
    if (downloadBytes !== undefined) {
      network = await startGuestNetwork(parts.passt!, folder, downloadBytes);
    }
    const machine = (options.describe ?? standardMachine)({
      disks,
      ...PLATFORM,
      ...(network === undefined ? {} : { network: network.socketPath }),
    });
    const initramfs = await makeInitramfs(parts, machine, { folder, load });
    return {
      disks,
      download: network?.download,
      boot(guest) {
        const { steps, append = [], disks: names, ...follow } = guest;
        const waited = names ?? disks.map((_, index) => `vd${'ab'[index]}`);
        return followGuest(follow, (output) => {
          thread = new V86Thread(options, output, {
            machine,
            checkIsolation: options.checkIsolation ?? false,
            ...(options.stray === undefined ? {} : { stray: options.stray }),
            ...(options.record === undefined
              ? {}
              : { record: { ...options.record, contents: images.map(({ content }) => content) } }),
            ...(options.watcher === undefined ? {} : { watch: options.watcher.board.buffer }),
            kernel: parts.kernel,
            initramfs,
            commandLine: kernelCommandLine(V86_KERNEL, [
              ...stepArguments(steps, waited),
              ...append,
            ]),
            bios: parts.bios,
            vgaBios: parts.vgaBios,
            memoryMebibytes: MEMORY_MEBIBYTES,
          });
          return thread;
        });
      },
      stop,
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

/** The guest, from its start to its end. */
class V86Thread implements RunningGuest {
  readonly ended: Promise<string | undefined>;
  readonly #worker: Worker;
  readonly #statistics: Promise<ServerStatistics>;
  #end: (problem?: string) => void = () => {};

  constructor(
    { onMessage, watcher, threadFile = THREAD }: V86MachineOptions,
    output: GuestOutput,
    workerData: V86Settings,
  ) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const splitter = new LineSplitter((line) => {
      output.line(line);
      if (line.includes(POWERED_DOWN)) this.#end();
    });
    this.#worker = new Worker(threadFile, {
      workerData,
      execArgv: process.execArgv.filter((argument) => argument === '--enable-source-maps'),
    });
    this.#statistics = new Promise((resolve, reject) => {
      const fail = (message: string) => {
        this.#end(message);
        reject(new CommandError(message));
      };
      this.#worker.on('message', (message: V86Message) => {
        if (message.type === 'console') splitter.write(Buffer.from(message.bytes));
        else if (message.type === 'watched') watcher?.take(message);
        else if (message.type === 'stopped') resolve(message.statistics);
        else if (message.type === 'failed') fail(message.message);
        else onMessage?.(message);
      });
      this.#worker.on('error', (error) => fail(`v86 has failed: ${messageOf(error)}`));
      this.#worker.on('exit', () => fail('v86 has ended before it was asked to'));
    });
    // Whoever asks for them is told why there are none.
    this.#statistics.catch(() => {});
  }

  /** The guest is ended; the devices are there until {@link finish}. */
  stop(): void {
    this.#end();
  }

  async finish(): Promise<ServerStatistics> {
    this.#worker.postMessage({ type: 'stop' } satisfies V86Stop);
    try {
      return await this.#statistics;
    } finally {
      await this.#worker.terminate();
    }
  }
}
