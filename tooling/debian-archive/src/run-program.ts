/** Runs a program of the system to its end and hands back what it printed. */
import { spawn } from 'node:child_process';

/** How to start a program. */
export interface Program {
  readonly command: string;
  /** What goes before its own arguments. */
  readonly arguments: readonly string[];
}

export interface RunProgramOptions {
  readonly directory?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Ends the program, and all that it started; nothing of it runs any more when the promise is rejected. */
  readonly signal?: AbortSignal;
  /** Takes what the program prints on stdout, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** A program ended with an exit code other than 0. */
export class ProgramFailed extends Error {
  readonly stderr: string;

  constructor(command: string, code: string, stderr: string) {
    super(`${command} ended with ${code}: ${firstComplaint(stderr)}`);
    this.name = 'ProgramFailed';
    this.stderr = stderr;
  }
}

/** There is no such program on this system. */
export class ProgramMissing extends Error {
  constructor(command: string, options: { cause: unknown }) {
    super(`${command} is not there; install it`, options);
    this.name = 'ProgramMissing';
  }
}

/**
 * @returns what the program printed on stdout
 * @throws {ProgramFailed} when it ended with something else than exit code 0
 * @throws {ProgramMissing} when it is not installed
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<string> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const child = spawn(command, args, {
      cwd: options.directory,
      // The C locale: its messages are looked at.
      env: { ...process.env, LC_ALL: 'C', ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it: make, and the compilers under it.
      detached: signal !== undefined,
    });
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has just ended by itself.
      }
    };
    signal?.addEventListener('abort', end, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new ProgramMissing(command, { cause: error }) : error);
    });
    child.once('close', (code, endedBy) => {
      signal?.removeEventListener('abort', end);
      if (signal?.aborted) reject(signal.reason);
      else if (code === 0) resolve(stdout);
      else reject(new ProgramFailed(command, endedBy ?? `exit code ${code}`, stderr));
    });
  });
}

/** The line that says most: the first error that apt or a compiler names, or else the last line. */
function firstComplaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const error = lines.find((line) => /^E: |^error\b|\berror: /.test(line));
  return (error ?? lines.at(-1) ?? 'no message').replace(/^E: /, '');
}
