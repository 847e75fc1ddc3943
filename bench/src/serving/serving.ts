/** Servers as processes of their own: started, waited for until they accept clients, and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../bench-error.ts';

const LISTENING_MILLISECONDS = 10_000;
const LOOK_MILLISECONDS = 1;

export interface Serving {
  readonly socket: string;
  /** From its start until it accepted a client. */
  readonly milliseconds: number;
  stop(): Promise<void>;
}

/** `viommu serve` with a virtio-iommu and a virtio-rng; the socket is the IOMMU's. @throws BenchError */
export function serveOurs(): Promise<Serving> {
  const main = fileURLToPath(import.meta.resolve('@viommu/demo/dist/main.js'));
  return serve('iommu.sock', (folder) => [
    ...[process.execPath, main, 'serve', '--socket-dir', folder],
    ...['--iommu', '00:04.0', '--rng', '00:05.0'],
  ]);
}

/** A peer that is given the path of its socket. @throws BenchError */
export function servePeer(program: readonly string[]): Promise<Serving> {
  return serve('peer.sock', (folder) => [...program, `socket=${join(folder, 'peer.sock')}`]);
}

async function serve(
  socketName: string,
  command: (folder: string) => readonly string[],
): Promise<Serving> {
  const folder = await mkdtemp(join(tmpdir(), 'viommu-bench-'));
  const socket = join(folder, socketName);
  const [file = '', ...args] = command(folder);
  const start = performance.now();
  const child = spawn(file, args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(child, socket, start);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, milliseconds: performance.now() - start, stop };
}

async function untilListening(child: ChildProcess, socket: string, start: number): Promise<void> {
  while (!(await accepts(socket))) {
    const ended = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (ended || performance.now() - start > LISTENING_MILLISECONDS) {
      throw new BenchError(`${child.spawnargs.join(' ')} does not listen on ${socket}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket, () => {
      client.destroy();
      resolve(true);
    });
    client.on('error', () => resolve(false));
  });
}
