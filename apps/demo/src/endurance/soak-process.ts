/** The process of the soak run's server: started, asked for its memory, ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command-error.ts';
import { LineSplitter } from '../guest/line-splitter.ts';
import type { SoakServerMemory, SoakServerSettings } from './soak-server-settings.ts';

export interface SoakProcess {
  readonly pid: number;
  /** Lines that it has written to stderr. */
  readonly complaints: readonly string[];
  memory(): Promise<SoakServerMemory>;
  /** Ends it: disks flushed, sockets removed. */
  end(): Promise<void>;
}

/**
 * @param serverFile the built server; only tests that run from sources name it
 * @throws {CommandError} when it ends before it serves
 */
export async function startSoakServer(
  settings: SoakServerSettings,
  serverFile = fileURLToPath(new URL('./soak-server.js', import.meta.url)),
): Promise<SoakProcess> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--enable-source-maps', serverFile, JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const complaints: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const told = new LineSplitter((line) => waiting.shift()?.(line));
  const complained = new LineSplitter((line) => void complaints.push(line));
  child.stdout.on('data', (chunk: Buffer) => told.write(chunk));
  child.stderr.on('data', (chunk: Buffer) => complained.write(chunk));
  // It ends by itself then, and a question that is under way has no reader.
  child.stdin.on('error', () => {});
  let ended = false;
  const exited = once(child, 'exit').then(() => {
    ended = true;
  });
  const nextLine = (): Promise<string> =>
    Promise.race([
      new Promise<string>((resolve) => waiting.push(resolve)),
      exited.then(() => {
        throw new CommandError(`the server has ended: ${complaints.at(-1) ?? 'no error told'}`);
      }),
    ]);
  await nextLine();
  return {
    pid: child.pid!,
    complaints,
    async memory() {
      child.stdin.write('\n');
      return JSON.parse(await nextLine()) as SoakServerMemory;
    },
    async end() {
      if (!ended) child.stdin.end();
      await exited;
    },
  };
}
