/** Runs QEMU with the test guest, follows its serial console, and ends it in time. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { CommandError } from '../command-error.ts';
import type { GuestReport } from './guest-report.ts';
import { GuestReportReader } from './guest-report-reader.ts';
import { isVersion, type QemuProgram } from './qemu-program.ts';

export interface RunGuestOptions {
  readonly qemu: QemuProgram;
  /** As from `qemuArguments`, with the steps of `stepArguments` in its `append`. */
  readonly arguments: readonly string[];
  /** After this the guest is ended; 120 s when not given. */
  readonly timeoutSeconds?: number;
  /** Ends QEMU when it fires; when its reason is a {@link CommandError}, that is the problem. */
  readonly signal?: AbortSignal;
  /** Each fact that the guest reports, such as `kernel 6.12.1`, as it comes. */
  readonly onFact?: (text: string) => void;
  /** Each line of the serial console, marker lines too. */
  readonly onLine?: (line: string) => void;
}

export interface GuestRun {
  readonly report: GuestReport;
  /** Why the guest did not run all its steps to the end, in one line; absent when it did. */
  readonly problem?: string;
  /** From the start of QEMU to its end. */
  readonly seconds: number;
  /** The last lines of the serial console and of QEMU's own messages, to be shown when there is a problem. */
  readonly tail: readonly string[];
}

/** How many lines are kept for `tail`. */
const TAIL_LINES = 40;
/** A longer line is taken in pieces, so that a guest that never ends one costs no memory. */
const LONGEST_LINE = 64 * 1024;
/** How long QEMU may take to end by itself before it is killed. */
const GRACE_MILLISECONDS = 2000;

/** Runs the guest until it powers off, the time is over, or `signal` fires. Never throws: see `problem`. */
export async function runGuest(options: RunGuestOptions): Promise<GuestRun> {
  const begin = performance.now();
  const reader = new GuestReportReader();
  const tail: string[] = [];
  const qemuMessages: string[] = [];
  const remember = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
  };

  const child = spawnQemu(options.qemu, options.arguments);
  const follow = (stream: NodeJS.ReadableStream, take: (line: string) => void): void => {
    const splitter = new LineSplitter(take);
    stream.on('data', (chunk: Buffer) => splitter.write(chunk));
    stream.on('end', () => splitter.end());
  };

  let stopped: string | undefined;
  const stop = (reason: string): void => {
    stopped ??= reason;
    end(child);
  };

  follow(child.stdout, (line) => {
    remember(line);
    options.onLine?.(line);
    // It would boot and panic again until the time is over.
    if (line.includes('Kernel panic - ')) stop(`the guest's kernel gave up: ${line.trim()}`);
    const fact = reader.read(line);
    if (fact !== undefined) options.onFact?.(fact);
  });
  follow(child.stderr, (line) => {
    remember(line);
    if (qemuMessages.length < TAIL_LINES) qemuMessages.push(line);
  });

  const seconds = options.timeoutSeconds ?? 120;
  const timer = setTimeout(
    () => stop(`the guest did not finish within ${seconds} s`),
    seconds * 1000,
  );
  const abort = (): void => {
    const reason: unknown = options.signal?.reason;
    stop(reason instanceof CommandError ? reason.message : 'interrupted');
  };
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort);
  // For a QEMU that does not do it by itself.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);

  const ended = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`QEMU does not start: ${error.message}`));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(`QEMU ended with ${signal ?? `exit code ${code}`}${because(qemuMessages)}`);
    });
  });
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', abort);
  process.off('exit', kill);

  const { report } = reader;
  const problem =
    (stopped && stopped + because(report.errors)) ??
    ended ??
    report.errors[0] ??
    (report.done ? undefined : 'the guest ended before its last step');
  return {
    report,
    ...(problem === undefined ? {} : { problem }),
    seconds: (performance.now() - begin) / 1000,
    tail,
  };
}

/** Starts QEMU, for callers that follow its console themselves. */
export function spawnQemu(
  qemu: QemuProgram,
  args: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(qemu.command, [...qemu.arguments, ...stayWithUs(qemu), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...qemu.environment },
  });
}

/** QEMU ends with this process, however that ends; older ones know no such thing. */
function stayWithUs(qemu: QemuProgram): string[] {
  return isVersion(qemu.version, 10, 2) ? ['-run-with', 'exit-with-parent=on'] : [];
}

/** The last complaint, to be put after what came of it. */
function because(complaints: readonly string[]): string {
  const last = complaints.at(-1);
  return last === undefined ? '' : `: ${last}`;
}

/** Asks QEMU to end, and insists. */
function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MILLISECONDS);
  child.once('close', () => clearTimeout(timer));
}

/** Cuts a stream of bytes into lines. */
export class LineSplitter {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Buffer): void {
    const lines = (this.#pending + this.#decoder.write(chunk)).split('\n');
    this.#pending = lines.pop()!;
    for (const line of lines) this.#take(line.replaceAll('\r', ''));
    if (this.#pending.length > LONGEST_LINE) this.end();
  }

  /** Hands over what is left when no newline will follow. */
  end(): void {
    if (this.#pending !== '') this.#take(this.#pending.replaceAll('\r', ''));
    this.#pending = '';
  }
}
