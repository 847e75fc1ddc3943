/** Runs QEMU with the test guest, until it powers off or is ended. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { because, type FollowOptions, followGuest, type GuestRun } from './follow-guest.ts';
import { LineSplitter } from './line-splitter.ts';
import { isVersion, type QemuProgram } from './qemu-program.ts';

export interface RunGuestOptions extends FollowOptions {
  readonly qemu: QemuProgram;
  /** As from `qemuArguments`, with the steps of `stepArguments` in its `append`. */
  readonly arguments: readonly string[];
}

/** Of QEMU's own messages, in case that it fails. */
const MESSAGES = 40;
/** How long QEMU may take to end by itself before it is killed. */
const GRACE_MILLISECONDS = 2000;

/** Runs the guest until it powers off, the time is over, or `signal` fires. Never throws: see `problem`. */
export function runGuest(options: RunGuestOptions): Promise<GuestRun> {
  return followGuest(options, ({ line, message }) => {
    const qemuMessages: string[] = [];
    const child = spawnQemu(options.qemu, options.arguments);
    const follow = (stream: NodeJS.ReadableStream, take: (line: string) => void): void => {
      const splitter = new LineSplitter(take);
      stream.on('data', (chunk: Buffer) => splitter.write(chunk));
      stream.on('end', () => splitter.end());
    };
    follow(child.stdout, line);
    follow(child.stderr, (text) => {
      message(text);
      if (qemuMessages.length < MESSAGES) qemuMessages.push(text);
    });
    // For a QEMU that does not do it by itself.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    const ended = new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(`QEMU does not start: ${error.message}`));
      child.once('close', (code, signal) => {
        if (code === 0) resolve(undefined);
        else resolve(`QEMU ended with ${signal ?? `exit code ${code}`}${because(qemuMessages)}`);
      });
    }).finally(() => process.off('exit', kill));
    return { ended, stop: () => end(child) };
  });
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

/** Asks QEMU to end, and insists. */
function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MILLISECONDS);
  child.once('close', () => clearTimeout(timer));
}
