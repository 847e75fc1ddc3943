/** The network of a guest: passt, which speaks for it to this host, and a server on the host's loopback that has something to fetch. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Program } from '@viommu/debian-archive';
import { CommandError } from '../command-error.ts';

/** What the guest can fetch. */
export interface Download {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface GuestNetwork {
  /** Of passt, for a virtio-net. */
  readonly socketPath: string;
  readonly download: Download;
  /** To be called after the virtio-net is gone, for it would report that its link is down. */
  close(): void;
}

/** As users of QEMU know them. The gateway is also the guest's name for this host's loopback. */
const GUEST_ADDRESS = '10.0.2.15';
const GATEWAY = '10.0.2.2';
const PATIENCE_MILLISECONDS = 10_000;

/**
 * @param folder for the socket
 * @param bytes of the download, which are random
 * @throws {CommandError} when passt does not start
 */
export async function startGuestNetwork(
  passt: Program,
  folder: string,
  bytes: number,
): Promise<GuestNetwork> {
  const socketPath = join(folder, 'passt.sock');
  const content = randomBytes(bytes);
  const server = createServer((_, response) => {
    response.end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const child = startPasst(passt, socketPath);
  const close = (): void => stop(child, server);
  try {
    await socketOf(child, socketPath);
  } catch (error) {
    close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return {
    socketPath,
    download: {
      url: `http://${GATEWAY}:${port}/`,
      bytes,
      sha256: createHash('sha256').update(content).digest('hex'),
    },
    close,
  };
}

function startPasst({ command, arguments: before }: Program, socketPath: string): ChildProcess {
  return spawn(
    command,
    [
      ...before,
      // In the foreground, and only as long as the virtio-net is connected.
      ...['--foreground', '--quiet', '--one-off', '--socket', socketPath],
      // No port of the guest's is open on this host.
      ...['--tcp-ports', 'none', '--udp-ports', 'none'],
      ...['--ipv4-only', '--address', GUEST_ADDRESS, '--netmask', '24', '--gateway', GATEWAY],
      ...['--map-host-loopback', GATEWAY],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

/** @throws {CommandError} when passt ends, or does not listen in time */
async function socketOf(child: ChildProcess, socketPath: string): Promise<void> {
  let said = '';
  let ended: string | undefined;
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-1000);
  });
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`;
  });
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  while (!existsSync(socketPath)) {
    if (ended === undefined && performance.now() < deadline) await setTimeout(10);
    else {
      const last = said.trim().split('\n').at(-1);
      throw new CommandError(
        `passt does not start: ${ended ?? 'it does not listen'}${last ? ` (${last})` : ''}; pass --passt`,
      );
    }
  }
}

function stop(child: ChildProcess, server: Server): void {
  child.kill();
  server.close();
  server.closeAllConnections();
}
