/** Kills the server while a guest writes and flushes: what the guest was told to be on the disk has to be there. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { numberedBlock } from '../guest/guest-steps.ts';
import type { QemuProgram } from '../guest/qemu-program.ts';
import { runGuest } from '../guest/run-guest.ts';
import type { ServeProcess } from './serve-process.ts';

export interface KillServerOptions {
  readonly server: ServeProcess;
  readonly qemu: QemuProgram;
  /** Of a guest that runs the step `numbered` for longer than it will live. */
  readonly arguments: readonly string[];
  /** The file that the server has as its disk. */
  readonly disk: string;
  /** Which part of the span the server gets, from 0 to 1. */
  readonly nextMoment: () => number;
  readonly signal: AbortSignal;
}

export interface KilledServer {
  /** Blocks that were told to be flushed, all of which are on the disk. */
  readonly flushed: number;
  /** Those that were told when the server was already gone: their answers were under way. */
  readonly late: number;
}

/** The server is killed so long after the first flush, at most. */
const SPAN_MILLISECONDS = 2000;
/** How long the guest is watched afterwards. */
const WATCH_MILLISECONDS = 1500;
const BLOCK_SIZE = 4096;

/** @throws {CommandError} when a flushed block is not on the disk, or no block was flushed */
export async function killServer(options: KillServerOptions): Promise<KilledServer> {
  const { server, signal } = options;
  const enough = new AbortController();
  let killed: Promise<void> | undefined;
  let before = 0;
  let flushed = 0;
  const killSoon = async (): Promise<void> => {
    await setTimeout(options.nextMoment() * SPAN_MILLISECONDS);
    before = flushed;
    await server.end('SIGKILL');
    await setTimeout(WATCH_MILLISECONDS);
    enough.abort();
  };
  const run = await runGuest({
    qemu: options.qemu,
    arguments: options.arguments,
    signal: AbortSignal.any([signal, enough.signal]),
    onFact: (fact) => {
      if (!fact.startsWith('flushed ')) return;
      flushed += 1;
      killed ??= killSoon();
    },
  });
  signal.throwIfAborted();
  if (killed === undefined)
    throw new CommandError(`the guest flushed nothing: ${run.problem ?? 'it ended'}`);
  await killed;
  const told = run.report.boots[0]?.flushed ?? [];
  const lost = told.filter((block) => !isOnDisk(options.disk, block));
  if (lost.length > 0) {
    throw new CommandError(
      `the guest was told that ${told.length} blocks are flushed, and the disk lacks ${lost.join(' ')}`,
    );
  }
  return { flushed: told.length, late: told.length - before };
}

function isOnDisk(path: string, block: number): boolean {
  const found = Buffer.alloc(BLOCK_SIZE);
  const file = openSync(path, 'r');
  try {
    readSync(file, found, 0, BLOCK_SIZE, block * BLOCK_SIZE);
  } finally {
    closeSync(file);
  }
  return found.equals(numberedBlock(block));
}
