/** A server with functions and clients for one test, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireLibc, unixSocketAddress } from '@viommu/linux-io';
import { VfioUserServer } from '../server.ts';
import { FakePciFunction } from './fake-pci-function.ts';
import { TestClient, versionRequest } from './test-client.ts';

export class Harness {
  readonly directory = mkdtempSync(join(tmpdir(), 'vfio-user-'));
  readonly log: string[] = [];
  readonly events: string[] = [];
  readonly server: VfioUserServer;
  readonly #clients: TestClient[] = [];

  constructor(dmaTimeoutMilliseconds = 200) {
    const { log, events } = this;
    this.server = new VfioUserServer({
      dmaTimeoutMilliseconds,
      logger: {
        debug() {},
        info: (text) => log.push(`info ${text}`),
        warn: (text) => log.push(`warn ${text}`),
        error: (text) => log.push(`error ${text}`),
      },
      onConnect: () => events.push('connect'),
      onDisconnect: () => events.push('disconnect'),
    });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  listen(name = 'a.sock'): FakePciFunction {
    const pciFunction = new FakePciFunction();
    this.server.listen(this.path(name), pciFunction);
    return pciFunction;
  }

  connect(name = 'a.sock'): TestClient {
    const client = new TestClient(this.path(name));
    this.#clients.push(client);
    this.server.poll(0);
    return client;
  }

  /** A client that has negotiated. */
  negotiated(name = 'a.sock'): TestClient {
    const client = this.connect(name);
    this.ask(client, versionRequest());
    return client;
  }

  /** Sends a message, lets the server work, and receives what it answers. */
  ask(client: TestClient, bytes: Uint8Array, fds: readonly number[] = []): Uint8Array | undefined {
    client.send(bytes, fds);
    this.settle();
    return client.receive();
  }

  settle(rounds = 4): void {
    for (let round = 0; round < rounds; round++) {
      this.server.poll(0);
    }
  }

  /** A socket file whose server is gone, as after a crash. */
  leaveStaleSocket(path: string): void {
    const libc = requireLibc();
    const address = unixSocketAddress(path)!;
    const fd = libc.socket(1, 1, 0);
    libc.bind(fd, address, address.length);
    libc.close(fd);
  }

  /** Errors and warnings so far. */
  get complaints(): string[] {
    return this.log.filter((line) => !line.startsWith('info'));
  }

  close(): void {
    for (const client of this.#clients.splice(0)) {
      client.close();
    }
    this.server.close();
    rmSync(this.directory, { recursive: true });
  }
}
