/** ServedGuest: `viommu serve` with a disk, as a user starts it, and a stock guest beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runControl } from '../src/ctl/run-control.ts';
import type { GuestRun } from '../src/guest/follow-guest.ts';
import { type GuestStep, stepArguments } from '../src/guest/guest-steps.ts';
import { buildInitramfs } from '../src/guest/initramfs.ts';
import { qemuArguments } from '../src/guest/qemu-arguments.ts';
import { type RunGuestOptions, runGuest } from '../src/guest/run-guest.ts';
import { makeDiskImage } from '../src/linux/disk-image.ts';
import { parts } from './guest-setting.ts';

export const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
export const DISK = 0x28;
const IOMMU = 0x20;
const DISK_BYTES = 16 << 20;

export interface ServedGuestOptions extends Pick<RunGuestOptions, 'onLine' | 'signal'> {
  /** More arguments of QEMU. */
  readonly more?: readonly string[];
}

export class ServedGuest {
  readonly folder = mkdtempSync(join(tmpdir(), 'viommu-served-'));
  readonly sockets = join(this.folder, 'sockets');
  readonly server: ChildProcess;
  /** What the server has printed. */
  output = '';

  /** @param options more of `viommu serve` */
  constructor(...options: string[]) {
    mkdirSync(this.sockets);
    const disk = join(this.folder, 'disk.img');
    makeDiskImage(disk, DISK_BYTES);
    this.server = spawn(
      process.execPath,
      [
        ...[MAIN, 'serve', '--socket-dir', this.sockets, '--iommu', '00:04.0'],
        ...['--blk', `00:05.0=${disk}`, ...options],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.server.stdout!.setEncoding('utf8');
    this.server.stdout!.on('data', (text: string) => {
      this.output += text;
    });
  }

  /** Waits until the server has printed this. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      await once(this.server.stdout!, 'data');
    }
  }

  /** Asks the server in this process, which is quicker than a command. */
  async ctl<T>(name: Parameters<typeof runControl>[1], fields = {}): Promise<T> {
    let text = '';
    await runControl(join(this.sockets, 'control.sock'), name, fields, {
      json: true,
      print: (line) => {
        text = line;
      },
    });
    return JSON.parse(text) as T;
  }

  boot(steps: readonly GuestStep[], options: ServedGuestOptions): Promise<GuestRun> {
    const { qemu, kernel, busybox, modules, kernelRelease } = parts!;
    const { more = [], ...run } = options;
    const initramfs = join(this.folder, 'initramfs.gz');
    buildInitramfs({ busybox, modules, kernelRelease, output: initramfs });
    const guest = qemuArguments({
      machine: {
        functions: [
          { bdf: IOMMU, socketPath: join(this.sockets, 'iommu.sock') },
          { bdf: DISK, socketPath: join(this.sockets, 'blk.sock') },
        ],
        viotFile: join(this.sockets, 'viot.aml'),
        more,
      },
      kernel,
      initramfs,
      append: stepArguments(steps, ['vda']),
    });
    return runGuest({ qemu, arguments: guest, timeoutSeconds: 250, ...run });
  }

  close(): void {
    this.server.kill('SIGKILL');
    rmSync(this.folder, { recursive: true });
  }
}
