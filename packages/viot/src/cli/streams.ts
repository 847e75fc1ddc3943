/** Input and output of the commands: files, or the process' own streams. */
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { CommandError, systemMessage } from './command-error.ts';

/** Of the process. */
export interface Streams {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output & { readonly isTTY?: boolean };
  readonly stderr: Output;
}

interface Output {
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
}

export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/**
 * @param file `-` for stdin
 * @throws {CommandError}
 */
export async function readInput(file: string, { stdin }: Streams): Promise<Uint8Array> {
  try {
    if (file !== '-') return new Uint8Array(readFileSync(file));
    const parts: Uint8Array[] = [];
    for await (const part of stdin) parts.push(part);
    return new Uint8Array(Buffer.concat(parts));
  } catch (error) {
    throw new CommandError(`${nameOf(file)} cannot be read: ${systemMessage(error)}`, error);
  }
}

/**
 * Writes everything or, when there is an error, nothing.
 *
 * @param file stdout when not given
 * @throws {CommandError} also when it is bytes and stdout is a terminal
 */
export async function writeOutput(
  data: string | Uint8Array,
  file: string | undefined,
  { stdout }: Streams,
): Promise<void> {
  if (file !== undefined) return writeFile(file, data);
  if (typeof data !== 'string' && stdout.isTTY === true) {
    throw new CommandError('this is binary and not for a terminal: pass --output FILE');
  }
  await new Promise<void>((resolve, reject) => {
    stdout.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

function writeFile(file: string, data: string | Uint8Array): void {
  let unfinished: string | undefined;
  try {
    const target = statSync(file, { throwIfNoEntry: false });
    // A device or a pipe stays what it is.
    if (target !== undefined && !target.isFile()) {
      writeFileSync(file, data);
      return;
    }
    const path = target === undefined ? file : realpathSync(file);
    unfinished = `${path}.${process.pid}.unfinished`;
    writeFileSync(unfinished, data, target === undefined ? {} : { mode: target.mode });
    renameSync(unfinished, path);
  } catch (error) {
    if (unfinished !== undefined) rmSync(unfinished, { force: true });
    throw new CommandError(`${file} cannot be written: ${systemMessage(error)}`, error);
  }
}
