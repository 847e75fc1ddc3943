/** The network of a guest: passt, which speaks for it to this host, and a server on the host's loopback that has something to fetch. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Program } from '@viommu/debian-archive';
import { CommandError } from '../command-error.ts';

/** What the guest can fetch, and where it can post anything to. */
export interface Download {
  /** With a number after it: so many of the bytes, or fewer. */
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface GuestNetwork {
  /** Of passt, for a virtio-net. */
  readonly socketPath: string;
  readonly download: Download;
  /** Another way into the same network, for one guest with a virtio-net that is not ours. */
  plug(): Promise<NetworkPlug>;
  /** To be called after the virtio-net is gone, for it would report that its link is down. */
  close(): void;
}

interface NetworkPlug {
  readonly socketPath: string;
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
  const content = randomBytes(bytes);
  const server = createServer((request, response) => {
    serve(content, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closeServer = (): void => {
    server.close();
    server.closeAllConnections();
  };
  let plugs = 0;
  const plug = (): Promise<NetworkPlug> => {
    const name = plugs === 0 ? 'passt.sock' : `passt${plugs}.sock`;
    plugs += 1;
    return plugIn(passt, join(folder, name));
  };
  let first: NetworkPlug;
  try {
    first = await plug();
  } catch (error) {
    closeServer();
    throw error;
  }
  return {
    socketPath: first.socketPath,
    plug,
    download: {
      url: `http://${GATEWAY}:${portOf(server)}/`,
      bytes,
      sha256: createHash('sha256').update(content).digest('hex'),
    },
    close() {
      first.close();
      closeServer();
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** All of the content, or as many bytes of it as the path says; what is posted is answered when all of it is there. */
function serve(content: Uint8Array, request: IncomingMessage, response: ServerResponse): void {
  const bytes = Number(request.url?.slice(1) || content.length);
  if (request.method === 'POST') {
    request.resume().once('end', () => response.end());
  } else {
    response.end(content.subarray(0, bytes));
  }
}

async function plugIn(passt: Program, socketPath: string): Promise<NetworkPlug> {
  const child = startPasst(passt, socketPath);
  const close = (): void => void child.kill();
  try {
    await socketOf(child, socketPath);
  } catch (error) {
    close();
    throw error;
  }
  return { socketPath, close };
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
