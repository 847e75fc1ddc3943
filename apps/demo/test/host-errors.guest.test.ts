/** A disk of the host that fails: the guest gets I/O errors, the user a line, and the server goes on. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServeProcess, startServe } from '../src/endurance/serve-process.ts';
import type { GuestRun } from '../src/guest/follow-guest.ts';
import { type GuestStep, stepArguments } from '../src/guest/guest-steps.ts';
import { buildInitramfs } from '../src/guest/initramfs.ts';
import { qemuArguments } from '../src/guest/qemu-arguments.ts';
import { runGuest } from '../src/guest/run-guest.ts';
import { makeDiskImage, sha256OfRange } from '../src/linux/disk-image.ts';
import { bootOf, parts } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const MEBIBYTE = 1 << 20;
const READ: GuestStep = { step: 'read', disk: 'vda', offset: 0, length: 4 * MEBIBYTE };
const WRITE_BEYOND: GuestStep = {
  step: 'write',
  disk: 'vda',
  offset: 12 * MEBIBYTE,
  length: MEBIBYTE,
};

let folder: string;
let disk: string;
let server: ServeProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-host-errors-'));
  disk = join(folder, 'disk.img');
  makeDiskImage(disk, 16 * MEBIBYTE);
  server = await startServe(disk, join(folder, 'sockets'), MAIN);
});

afterEach(async () => {
  await server.end('SIGKILL');
  rmSync(folder, { recursive: true });
});

function boot(steps: readonly GuestStep[]): Promise<GuestRun> {
  const { qemu, kernel } = parts!;
  const initramfs = join(folder, 'initramfs.gz');
  buildInitramfs({ ...parts!, output: initramfs });
  return runGuest({
    qemu,
    arguments: qemuArguments({
      machine: server.machine,
      kernel,
      initramfs,
      append: stepArguments(steps, ['vda']),
    }),
  });
}

describe.runIf(parts !== undefined)("a disk's file that becomes shorter while it is served", () => {
  it('fails what lies beyond its end, with a line or two for all of it, and nothing else', async () => {
    truncateSync(disk, 8 * MEBIBYTE);
    const failing = await boot([READ, WRITE_BEYOND]);
    expect(failing.problem).toBe('writing to vda failed');
    expect(failing.report.done).toBe(true);
    expect(failing.report.boots[0]?.log.join('\n')).toMatch(
      /I\/O error, dev vda, sector \d+ op 0x1/,
    );
    const good = sha256OfRange(disk, 0, 4 * MEBIBYTE);
    expect(failing.report.boots[0]?.reads[0]?.sha256).toBe(good);

    const next = bootOf(await boot([READ]));
    expect(next.reads[0]?.sha256).toBe(good);
    expect(server.complaints.length).toBeGreaterThan(0);
    expect(server.complaints.length).toBeLessThan(4);
    for (const line of server.complaints)
      expect(line).toMatch(/^error .*its guest gets I\/O errors: .*disk\.img has become shorter/);
  });
});
