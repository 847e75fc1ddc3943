/** `viommu serve` as a user starts it: the arguments that it prints boot a guest, and a signal ends it cleanly. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stepArguments } from '../src/guest/guest-steps.ts';
import { buildInitramfs } from '../src/guest/initramfs.ts';
import { machineArguments, qemuArguments } from '../src/guest/qemu-arguments.ts';
import { runGuest } from '../src/guest/run-guest.ts';
import { makeDiskImage, sha256OfRange } from '../src/linux/disk-image.ts';
import { bootOf, parts } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const MEBIBYTE = 1 << 20;

let folder: string;
let server: ChildProcess;
let output = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-serve-'));
  mkdirSync(join(folder, 'sockets'));
  makeDiskImage(join(folder, 'disk.img'), 16 * MEBIBYTE);
  output = '';
  server = spawn(
    process.execPath,
    [
      MAIN,
      ...['serve', '--socket-dir', join(folder, 'sockets'), '--iommu', '00:04.0'],
      ...['--blk', `00:05.0=${join(folder, 'disk.img')}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  server.stdout!.setEncoding('utf8');
  server.stdout!.on('data', (text: string) => {
    output += text;
  });
});

afterEach(() => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

async function whenListening(): Promise<void> {
  while (!(output.includes('-device') && output.endsWith('\n'))) await once(server.stdout!, 'data');
}

async function end(signal: NodeJS.Signals): Promise<number> {
  server.kill(signal);
  const [exitCode] = await once(server, 'exit');
  return exitCode;
}

/** The printed arguments as a shell reads them. */
function printedArguments(): string[] {
  const line = output.split('\n').find((text) => text.startsWith('-machine')) ?? '';
  const list = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return list.split('\0').slice(0, -1);
}

describe.runIf(parts !== undefined)('viommu serve', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends at %s, and leaves no socket', async (signal) => {
    const sockets = join(folder, 'sockets');
    await whenListening();
    expect(readdirSync(sockets).sort()).toEqual([
      'blk.sock',
      'control.sock',
      'iommu.sock',
      'viot.aml',
    ]);
    expect(statSync(join(sockets, 'blk.sock')).mode & 0o777).toBe(0o600);
    expect(await end(signal)).toBe(0);
    expect(readdirSync(sockets)).toEqual([]);
  });

  it('does not listen where others could listen in its place', async () => {
    await whenListening();
    expect(await end('SIGTERM')).toBe(0);
    chmodSync(join(folder, 'sockets'), 0o777);
    const { status, stderr } = spawnSync(process.execPath, server.spawnargs.slice(1), {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(
      /^viommu: Others can write to the directory of [^\n]*run chmod go-w [^\n]*\n$/,
    );
    expect(status).toBe(1);
    expect(readdirSync(join(folder, 'sockets'))).toEqual([]);
  });

  it('ends at a signal that comes with its first socket, and leaves none', async () => {
    const sockets = join(folder, 'sockets');
    while (readdirSync(sockets).length === 0) await setTimeout(1);
    expect(await end('SIGINT')).toBe(0);
    expect(readdirSync(sockets)).toEqual([]);
  });

  it('is all that a QEMU needs to know', async () => {
    await whenListening();
    const { qemu, kernel, busybox, modules, kernelRelease } = parts!;
    const initramfs = join(folder, 'initramfs.gz');
    buildInitramfs({ busybox, modules, kernelRelease, output: initramfs });
    const machine = { functions: [] };
    const guest = qemuArguments({
      machine,
      kernel,
      initramfs,
      append: stepArguments(
        [
          { step: 'report' },
          { step: 'write', disk: 'vda', offset: 4 * MEBIBYTE, length: 4 * MEBIBYTE },
        ],
        ['vda'],
      ),
    }).slice(machineArguments(machine).length);
    const boot = bootOf(await runGuest({ qemu, arguments: [...printedArguments(), ...guest] }));
    expect(boot.iommuGroups.flatMap(({ devices }) => devices)).toEqual(['0000:00:05.0']);
    expect(await end('SIGTERM')).toBe(0);
    expect(sha256OfRange(join(folder, 'disk.img'), 4 * MEBIBYTE, 4 * MEBIBYTE)).toBe(
      boot.writes[0]?.sha256,
    );
    expect(output).toMatch(/^attach {2}00:05\.0 -> domain \d+$/m);
    expect(output).toMatch(/^requests: 1 probe, 1 attach, \d+ detach, [1-9]\d* map/m);
  });
});
