/** Kills QEMU at random moments, one after the other on one server, and looks at what the server keeps of each. */
import { EventEmitter, once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { GuestReportReader } from '../guest/guest-report-reader.ts';
import { LineSplitter } from '../guest/line-splitter.ts';
import type { QemuProgram } from '../guest/qemu-program.ts';
import { spawnQemu } from '../guest/run-guest.ts';
import { handshake } from './handshake.ts';
import { descriptorsText, type ProcessUse, processUse, useAtRest } from './process-use.ts';
import { filesText, type ServeProcess } from './serve-process.ts';

export interface KillGuestsOptions {
  readonly server: ServeProcess;
  readonly qemu: QemuProgram;
  /** Of a guest that does I/O until it is killed. */
  readonly arguments: readonly string[];
  readonly runs: number;
  /** How long a guest takes until it has its disk, about. */
  readonly upMilliseconds: number;
  /** When the next guest is killed, as a number from 0 to 1. */
  readonly nextMoment: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** How far a guest had come when it was killed. */
type Phase = 'firmware or kernel' | 'init' | 'I/O';

export interface KilledGuests {
  readonly runs: number;
  readonly phases: Readonly<Record<Phase, number>>;
  /** What the server held before the first, with nobody connected, and after the last. */
  readonly before: ProcessUse;
  readonly after: ProcessUse;
}

/**
 * Kills come from the start of QEMU until so many times the time in which a guest has its disk. What is beyond 1 counts from when
 * it has, so that a machine that has more to do by then does not kill all of them in their kernels.
 */
const SPAN = 1.6;
/** How long the server may take to notice that a client is gone, and to give back what it had. */
const PATIENCE_MILLISECONDS = 3000;
/**
 * How many mappings the server may have more than before: the engine maps its heap and its code in pieces, 29 more after 800
 * clients than before the first. One mapping left per client would be more after two hundred of them.
 */
const MAPPINGS_OF_THE_HEAP = 100;

/** @throws {CommandError} when the server keeps something, or does not serve the next client */
export async function killGuests(options: KillGuestsOptions): Promise<KilledGuests> {
  const { server, runs, nextMoment, signal, onProgress } = options;
  const before = await useAtRest(server.pid);
  const files = filesText(server);
  const phases: Record<Phase, number> = { 'firmware or kernel': 0, init: 0, 'I/O': 0 };
  for (let run = 1; run <= runs; run += 1) {
    const begin = performance.now();
    const phase = await killOne(options, nextMoment() * SPAN);
    const after = performance.now() - begin;
    signal.throwIfAborted();
    phases[phase] += 1;
    onProgress(`QEMU ${run} of ${runs} killed after ${after.toFixed(0)} ms (${phase})`);
    await givenBack(server, before);
    for (const { socketPath } of server.machine.functions) await handshake(socketPath);
    await givenBack(server, before);
    if (filesText(server) !== files)
      throw new CommandError(`the server's folder has ${filesText(server)}; before: ${files}`);
  }
  const after = processUse(server.pid);
  if (after.mappings > before.mappings + MAPPINGS_OF_THE_HEAP) {
    throw new CommandError(
      `the server has ${after.mappings} mappings after ${runs} clients were killed; before: ${before.mappings}`,
    );
  }
  return { runs, phases, before, after };
}

async function killOne(
  { qemu, arguments: args, upMilliseconds, signal }: KillGuestsOptions,
  moment: number,
): Promise<Phase> {
  const reader = new GuestReportReader();
  const isUp = new EventEmitter();
  const splitter = new LineSplitter((line) => {
    if (reader.read(line)?.startsWith('up ')) isUp.emit('up');
  });
  const child = spawnQemu(qemu, args);
  child.stdout.on('data', (chunk: Buffer) => splitter.write(chunk));
  child.stderr.resume();
  const closed = once(child, 'close');
  const wait = async (): Promise<void> => {
    if (moment > 1) await once(isUp, 'up', { signal });
    await setTimeout((moment > 1 ? moment - 1 : moment) * upMilliseconds, undefined, { signal });
  };
  await Promise.race([wait().catch(() => {}), closed]);
  if (!child.kill('SIGKILL'))
    throw new CommandError(`QEMU ended by itself: ${reader.report.errors[0] ?? 'no error told'}`);
  await closed;
  const [boot] = reader.report.boots;
  if (boot === undefined) return 'firmware or kernel';
  return boot.upSeconds === undefined ? 'init' : 'I/O';
}

/** Waits until the server holds what it held before. */
async function givenBack({ pid }: ServeProcess, before: ProcessUse): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const now = processUse(pid);
    const kept = keptText(before, now);
    if (kept === undefined) return;
    if (performance.now() > deadline) throw new CommandError(`the server keeps ${kept}`);
    await setTimeout(10);
  }
}

function keptText(before: ProcessUse, now: ProcessUse): string | undefined {
  if (descriptorsText(now) !== descriptorsText(before))
    return `descriptors: ${descriptorsText(now)}; before: ${descriptorsText(before)}`;
  if (now.sharedMappings !== before.sharedMappings)
    return `${now.sharedMappings} mappings of a client's memory; before: ${before.sharedMappings}`;
  if (now.largeMappings !== before.largeMappings)
    return `${now.largeMappings} mappings as large as a guest; before: ${before.largeMappings}`;
  return undefined;
}
