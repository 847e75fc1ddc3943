/** `viommu serve` in a process of its own, as a user starts it, to be looked at and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command-error.ts';
import type { MachineArguments } from '../guest/machine-types/machine-type.ts';

export interface ServeProcess {
  readonly pid: number;
  /** The folder of the sockets. */
  readonly folder: string;
  /** What QEMU is to be told. */
  readonly machine: MachineArguments;
  /** What it has written to stderr. */
  readonly complaints: readonly string[];
  /** Ends it with this signal, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** The sockets that `serve` makes for the arguments below, with their addresses. */
const FUNCTIONS = [
  { name: 'iommu', bdf: 0x20 },
  { name: 'blk', bdf: 0x28 },
];

/**
 * Serves an IOMMU and a disk behind it.
 *
 * @param folder for the sockets; it is made when it is not there
 * @param mainFile the built program; only tests that run from sources name it
 * @param within a command with arguments that becomes what follows it
 * @throws {CommandError} when it does not come to serve
 */
export async function startServe(
  disk: string,
  folder: string,
  mainFile = fileURLToPath(new URL('./main.js', import.meta.url)),
  within: readonly string[] = [],
): Promise<ServeProcess> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const args = ['--socket-dir', folder, '--iommu', '00:04.0', '--blk', `00:05.0=${disk}`];
  const [program = '', ...rest] = [...within, process.execPath, mainFile, 'serve', ...args];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit').finally(() => process.off('exit', kill));
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints.push(...text.trimEnd().split('\n'));
  });
  await serving(child, exited);
  return {
    pid: child.pid!,
    folder,
    machine: {
      functions: FUNCTIONS.map(({ name, bdf }) => ({
        bdf,
        socketPath: join(folder, `${name}.sock`),
      })),
      viotFile: join(folder, 'viot.aml'),
      bootBypass: true,
    },
    complaints,
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}

/** The files of its folder, in one text. */
export function filesText({ folder }: ServeProcess): string {
  return readdirSync(folder).sort().join(' ');
}

async function serving(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  let output = '';
  const told = new Promise<void>((resolve) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      // What comes later is a line per attach and detach.
      if (output.length > 1 << 16) return;
      output += text;
      if (/^-machine .*\n/m.test(output)) resolve();
    });
  });
  await Promise.race([
    told,
    exited.then(() => {
      throw new CommandError('viommu serve ended before it served');
    }),
  ]);
}
