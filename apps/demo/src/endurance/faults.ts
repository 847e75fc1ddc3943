/** The fault run: a server whose guests are killed, and servers that are killed under their guests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { GuestParts } from '../guest/guest-parts.ts';
import { type GuestStep, stepArguments } from '../guest/guest-steps.ts';
import { buildInitramfs } from '../guest/initramfs.ts';
import { qemuArguments } from '../guest/qemu-arguments.ts';
import { runGuest } from '../guest/run-guest.ts';
import { makeDiskImage } from '../linux/disk-image.ts';
import { type KilledGuests, killGuests } from './kill-guests.ts';
import { type KilledServer, killServer } from './kill-server.ts';
import { seededMoments } from './seeded-moments.ts';
import { type ServeProcess, startServe } from './serve-process.ts';

export interface FaultsOptions {
  readonly parts: GuestParts;
  /** How many guests are killed. */
  readonly runs: number;
  /** How many servers are killed. */
  readonly servers: number;
  /** What the moments come from, 0 to 2^32 - 1. */
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  /** The built program; only tests that run from sources name it. */
  readonly mainFile?: string;
}

export interface FaultsResult {
  readonly guests: KilledGuests;
  readonly servers: readonly KilledServer[];
  /** What the server of the killed guests wrote to stderr. */
  readonly complaints: readonly string[];
}

const MEBIBYTE = 1 << 20;
const DISK_BYTES = 16 * MEBIBYTE;
const WRITE: GuestStep = { step: 'write', disk: 'vda', offset: 0, length: 4 * MEBIBYTE };
/** Longer than any guest here lives. */
const BUSY: readonly GuestStep[] = Array.from({ length: 60 }, () => WRITE);
const NUMBERED: readonly GuestStep[] = [{ step: 'numbered', disk: 'vda', count: 4096 }];

/** @throws {CommandError} when something does not hold */
export async function runFaults(options: FaultsOptions): Promise<FaultsResult> {
  const folder = mkdtempSync(join(tmpdir(), 'viommu-faults-'));
  try {
    buildInitramfs({ ...options.parts, output: join(folder, 'initramfs.gz') });
    const nextMoment = seededMoments(options.seed);
    const { guests, complaints } = await killingGuests(options, folder, nextMoment);
    const servers: KilledServer[] = [];
    for (let run = 1; run <= options.servers; run += 1) {
      servers.push(await killingServer(options, folder, nextMoment, run));
      const { flushed } = servers.at(-1)!;
      options.onProgress(
        `server ${run} of ${options.servers} killed: ${flushed} blocks flushed, all on the disk`,
      );
    }
    return { guests, servers, complaints };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function killingGuests(
  { parts, runs, signal, onProgress, mainFile }: FaultsOptions,
  folder: string,
  nextMoment: () => number,
): Promise<Pick<FaultsResult, 'guests' | 'complaints'>> {
  const disk = join(folder, 'disk.img');
  makeDiskImage(disk, DISK_BYTES);
  const server = await startServe(disk, join(folder, 'sockets'), mainFile);
  try {
    const { qemu } = parts;
    const boot = async (): Promise<number> => {
      let up = 0;
      const begin = performance.now();
      const run = await runGuest({
        qemu,
        arguments: guestArguments(server, parts, folder, [WRITE]),
        signal,
        onFact: (fact) => {
          if (fact.startsWith('up ')) up = performance.now() - begin;
        },
      });
      const [write, read] = [run.report.boots[0]?.writes[0], run.report.boots[0]?.reads[0]];
      if (run.problem !== undefined || write?.sha256 !== read?.sha256)
        throw new CommandError(
          `a guest that is left alone: ${run.problem ?? 'it read other data'}`,
        );
      return up;
    };
    onProgress('a guest that is left alone');
    const up = await boot();
    const guests = await killGuests({
      server,
      qemu,
      arguments: guestArguments(server, parts, folder, BUSY),
      runs,
      upMilliseconds: up,
      nextMoment,
      signal,
      onProgress,
    });
    onProgress('the last guest is left alone again');
    await boot();
    return { guests, complaints: server.complaints };
  } finally {
    await server.end('SIGTERM');
  }
}

async function killingServer(
  { parts, signal, mainFile }: FaultsOptions,
  folder: string,
  nextMoment: () => number,
  run: number,
): Promise<KilledServer> {
  const disk = join(folder, `disk${run}.img`);
  makeDiskImage(disk, DISK_BYTES);
  const server = await startServe(disk, join(folder, `sockets${run}`), mainFile);
  try {
    const args = guestArguments(server, parts, folder, NUMBERED);
    return await killServer({
      server,
      qemu: parts.qemu,
      arguments: args,
      disk,
      nextMoment,
      signal,
    });
  } finally {
    await server.end('SIGKILL');
    rmSync(disk);
  }
}

function guestArguments(
  { machine }: ServeProcess,
  { kernel }: GuestParts,
  folder: string,
  steps: readonly GuestStep[],
): string[] {
  const initramfs = join(folder, 'initramfs.gz');
  return qemuArguments({ machine, kernel, initramfs, append: stepArguments(steps, ['vda']) });
}
