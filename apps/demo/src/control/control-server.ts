/** ControlServer: the control socket: who may connect, a fixed number of clients, and events for those that watch. */
import {
  Arena,
  describeErrno,
  EAGAIN,
  EINTR,
  type Libc,
  requireLibc,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '@viommu/linux-io';
import {
  closeListening,
  type ListeningSocket,
  listenOn,
  objectionToPeer,
  type PollSource,
} from '@viommu/vfio-user';
import { LimitedLog, type Logger } from '@viommu/virtqueue';
import { ControlClient, type ControlHost } from './control-client.ts';
import { type ControlEvent, MAX_CLIENTS } from './control-protocol.ts';
import type { JsonObject } from './json-reader.ts';

const ARENA_SIZE = 65536;
/** How long the next client waits when none can be accepted, as when this process has no descriptor left. */
const REST_MILLISECONDS = 100;

export interface ControlServerOptions {
  readonly path: string;
  /** A user whose clients are served besides our own user's and root's; the socket is then that user's. */
  readonly allowUid?: number;
  readonly logger: Logger;
  /** Carries out a request. @throws what the client is told as an error */
  readonly carryOut: (request: JsonObject) => unknown;
}

export class ControlServer {
  /** What to wait for: the socket and each place for a client. */
  readonly sources: readonly PollSource[];
  readonly #options: ControlServerOptions;
  readonly #libc: Libc;
  readonly #socket: ListeningSocket;
  readonly #clients: readonly ControlClient[];
  readonly #log: LimitedLog;
  #restUntil = 0;

  /** @throws {VfioUserError} as `listenOn` does */
  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#libc = requireLibc();
    this.#log = new LimitedLog((message) => options.logger.warn(message));
    this.#socket = listenOn(this.#libc, options.path, options.allowUid);
    const host: ControlHost = {
      libc: this.#libc,
      arena: Arena.take(this.#libc, ARENA_SIZE),
      carryOut: (request, client) => this.#carryOut(request, client),
      dropped: (reason) => this.#log.report(`${options.path}: ${reason}`),
    };
    this.#clients = Array.from({ length: MAX_CLIENTS }, () => new ControlClient(host));
    this.sources = [this.#listener(), ...this.#clients];
  }

  /** Whether anybody watches: without, events need not be made. */
  get isWatched(): boolean {
    return this.#clients.some(({ watches }) => watches);
  }

  tell(event: ControlEvent): void {
    for (const client of this.#clients) if (client.watches) client.tell(event);
  }

  /** Ends all connections, and removes the socket. */
  close(): void {
    for (const client of this.#clients) client.close();
    this.#log.settle();
    closeListening(this.#libc, this.#socket);
  }

  #carryOut(request: JsonObject, client: ControlClient): unknown {
    const result = this.#options.carryOut(request);
    if (request.command === 'watch') client.watches = true;
    return result;
  }

  #listener(): PollSource {
    return {
      fd: this.#socket.fd,
      wantsRead: () => this.#restUntil === 0 || performance.now() >= this.#restUntil,
      wantsWrite: () => false,
      ready: () => this.#accept(),
      work: () => (this.#restUntil === 0 ? -1 : Math.ceil(this.#restUntil - performance.now())),
    };
  }

  #accept(): void {
    const fd = this.#libc.accept4(this.#socket.fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      const errno = this.#libc.errno();
      if (errno === EAGAIN || errno === EINTR) return;
      this.#restUntil = performance.now() + REST_MILLISECONDS;
      this.#log.report(`${this.#socket.path}: a client has to wait: ${describeErrno(errno)}`);
      return;
    }
    const place = this.#clients.find(({ isFree }) => isFree);
    const objection =
      objectionToPeer(this.#libc, fd, this.#options.allowUid) ??
      (place === undefined ? `a client was turned away: ${MAX_CLIENTS} are connected` : undefined);
    if (objection === undefined) {
      place?.open(fd);
      return;
    }
    this.#libc.close(fd);
    this.#log.report(`${this.#socket.path}: ${objection}`);
  }
}
