/** A file system of the host that is full: the guest gets I/O errors, the user a line, and with room again the disk works. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startServe } from '../src/endurance/serve-process.ts';
import { type GuestStep, stepArguments } from '../src/guest/guest-steps.ts';
import { buildInitramfs } from '../src/guest/initramfs.ts';
import { qemuArguments } from '../src/guest/qemu-arguments.ts';
import { runGuest } from '../src/guest/run-guest.ts';
import { sha256OfRange } from '../src/linux/disk-image.ts';
import { parts } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const MEBIBYTE = 1 << 20;

/**
 * Runs what follows where $0 is a file system of 8 MiB, with a sparse disk of 16 MiB and a file that takes 6: in namespaces of
 * its own, which needs no root.
 */
const ON_SMALL_FILE_SYSTEM = [
  'unshare',
  '--user',
  '--map-root-user',
  '--mount',
  'sh',
  '-ec',
  'mount -t tmpfs -o size=8m tmpfs "$0"; truncate -s 16M "$0/disk.img"; head -c 6M /dev/zero >"$0/filler"; exec "$@"',
];

const problem = parts && whyNoFileSystem();
if (problem !== undefined) process.stderr.write(`the test of a full disk is skipped: ${problem}\n`);

/** @returns why no file system can be mounted here */
function whyNoFileSystem(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-mount-'));
  const [program = '', ...rest] = [...ON_SMALL_FILE_SYSTEM, folder, 'true'];
  const { status, error, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim();
}

const write = (offset: number, length: number): GuestStep => ({
  step: 'write',
  disk: 'vda',
  offset: offset * MEBIBYTE,
  length: length * MEBIBYTE,
});

describe.runIf(parts !== undefined && problem === undefined)('a disk on a full file system', () => {
  it('fails what has no place, in a line or two, and goes on when there is room', async () => {
    const { qemu, kernel } = parts!;
    const folder = mkdtempSync(join(tmpdir(), 'viommu-full-disk-'));
    const small = join(folder, 'small');
    const initramfs = join(folder, 'initramfs.gz');
    mkdirSync(small);
    buildInitramfs({ ...parts!, output: initramfs });
    const within = [...ON_SMALL_FILE_SYSTEM, small];
    const server = await startServe(join(small, 'disk.img'), join(folder, 'sockets'), MAIN, within);
    try {
      // What the server sees there.
      const seen = (name: string): string => join(`/proc/${server.pid}/root`, small, name);
      // Room is made while the guest makes the bytes of its next write; should it be faster, the one after has it.
      const steps = [write(0, 4), write(12, 1), write(13, 1), write(14, 1)];
      const run = await runGuest({
        qemu,
        arguments: qemuArguments({
          machine: server.machine,
          kernel,
          initramfs,
          append: stepArguments(steps, ['vda']),
        }),
        onFact: (fact) => {
          if (fact === 'error writing to vda failed') rmSync(seen('filler'), { force: true });
        },
      });
      const [boot] = run.report.boots;
      expect(run.problem).toBe('writing to vda failed');
      expect(run.report.done).toBe(true);
      expect(boot?.log.join('\n')).toMatch(/I\/O error, dev vda, sector \d+ op 0x1:\(WRITE\)/);

      const written = boot?.writes.at(-1);
      expect(written?.offset).toBe(14 * MEBIBYTE);
      expect(boot?.reads.at(-1)?.sha256).toBe(written?.sha256);
      expect(sha256OfRange(seen('disk.img'), 14 * MEBIBYTE, MEBIBYTE)).toBe(written?.sha256);

      expect(server.complaints.length).toBeGreaterThan(0);
      expect(server.complaints.length).toBeLessThan(4);
      for (const line of server.complaints)
        expect(line).toMatch(/^error .*its guest gets I\/O errors: .*no space left on device/);
    } finally {
      await server.end('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});
