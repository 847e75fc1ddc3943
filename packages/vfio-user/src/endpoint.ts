/** One served function: its listening socket, and the client that it has at the moment. */

import {
  describeErrno,
  EAGAIN,
  EINTR,
  type Libc,
  POLLHUP,
  POLLIN,
  POLLOUT,
  type Pointer,
  type PollSet,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '@viommu/linux-io';
import type { PciFunction } from '@viommu/transport-pci';
import { LimitedLog, type Logger } from '@viommu/virtqueue';
import { Connection } from './connection.ts';
import { Interrupts } from './interrupts.ts';
import type { GuestRamPool } from './memory/guest-ram.ts';
import { MessageStream } from './message-stream.ts';
import { objectionToPeer } from './peer-check.ts';
import { closeListening, type ListeningSocket } from './unix-socket.ts';

/** What all endpoints of a server share. */
export interface EndpointContext {
  readonly libc: Libc;
  readonly pollSet: PollSet;
  readonly pool: GuestRamPool;
  readonly logger: Logger;
  /** Whose clients are served besides our own user's and root's. */
  readonly allowUid: number | undefined;
  /** Address of a 64-bit 1. */
  readonly one: Pointer;
  readonly dmaTimeoutMilliseconds: number;
  /** Handles messages of all endpoints: what there is to do while one waits for a reply. */
  readonly handleMessages: (timeoutMilliseconds: number) => void;
  /** Whether the functions are at work, and so no request of a client waits for its answer. */
  readonly isServicing: () => boolean;
  readonly onConnect: (path: string) => void;
  readonly onDisconnect: (path: string, reason: string) => void;
}

/** How long the next client waits when none can be accepted, as when this process has no descriptor left. */
export const REST_MILLISECONDS = 100;
/** How many messages of one client are handled before the others have their turn. */
const MESSAGES_PER_TURN = 64;

export class Endpoint {
  /** Slots that an endpoint takes in the poll set. */
  static readonly SLOTS = 2;

  readonly #context: EndpointContext;
  readonly #socket: ListeningSocket;
  readonly #pciFunction: PciFunction;
  readonly #listenerSlot: number;
  readonly #connectionSlot: number;
  readonly #turnedAway: LimitedLog;
  #restUntil = 0;
  #connection: Connection | undefined;

  constructor(
    context: EndpointContext,
    socket: ListeningSocket,
    pciFunction: PciFunction,
    firstSlot: number,
  ) {
    this.#context = context;
    this.#socket = socket;
    this.#pciFunction = pciFunction;
    this.#listenerSlot = firstSlot;
    this.#connectionSlot = firstSlot + 1;
    this.#turnedAway = new LimitedLog((message) => context.logger.warn(message));
    this.watch();
  }

  /**
   * Tells the poll set what to wait for. A failed client is watched no more, and until it is dropped the next one waits.
   *
   * @returns true when there is something to handle already, and so no wait
   */
  watch(): boolean {
    const { pollSet } = this.#context;
    const stream = this.#connection?.stream;
    if (stream === undefined || stream.failure !== undefined) {
      pollSet.clear(this.#connectionSlot);
    } else {
      pollSet.set(this.#connectionSlot, stream.fd, stream.sendBlocked ? POLLOUT : POLLIN);
    }
    if (stream?.failure === undefined && !this.resting) {
      pollSet.set(this.#listenerSlot, this.#socket.fd, POLLIN);
    } else {
      pollSet.clear(this.#listenerSlot);
    }
    return this.#connection?.hasReadAhead === true;
  }

  /** Handles what the poll set has found, and what was received ahead. */
  handleEvents(): void {
    const { pollSet } = this.#context;
    const events = pollSet.events(this.#connectionSlot);
    if (events !== 0 || this.#connection?.hasReadAhead === true) {
      this.#connection?.stream.flush();
      this.#connection?.receive(MESSAGES_PER_TURN);
    }
    // A client that has hung up or failed is about to make room: the next one waits that long.
    const leaving = (events & POLLHUP) !== 0 || this.#connection?.stream.failure !== undefined;
    if (pollSet.events(this.#listenerSlot) !== 0 && !leaving) {
      this.#accept();
    }
  }

  /** True while no client is looked for: look again after {@link REST_MILLISECONDS} at the latest. */
  get resting(): boolean {
    if (this.#restUntil !== 0 && performance.now() >= this.#restUntil) {
      this.#restUntil = 0;
    }
    return this.#restUntil !== 0;
  }

  #accept(): void {
    const { libc } = this.#context;
    const fd = libc.accept4(this.#socket.fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      this.#acceptFailed(libc.errno());
      return;
    }
    const objection = this.#objectionTo(fd);
    if (objection !== undefined) {
      libc.close(fd);
      this.#turnedAway.report(`${this.#socket.path}: ${objection}`);
      return;
    }
    this.#connection?.stream.fail('another client came before it had negotiated');
    this.dropFailed();
    this.#connection = this.#connect(fd);
  }

  /** It stays in the backlog, and poll() would find it there again at once, for ever. */
  #acceptFailed(errno: number): void {
    if (errno === EAGAIN || errno === EINTR) {
      return;
    }
    this.#restUntil = performance.now() + REST_MILLISECONDS;
    this.#turnedAway.report(`${this.#socket.path}: a client has to wait: ${describeErrno(errno)}`);
  }

  /** Why a client is turned away; undefined when it is welcome. */
  #objectionTo(fd: number): string | undefined {
    const { libc, allowUid } = this.#context;
    return (
      objectionToPeer(libc, fd, allowUid) ??
      (this.#connection?.negotiated === true
        ? 'a second client was turned away; one is connected'
        : undefined)
    );
  }

  #connect(fd: number): Connection {
    const { libc, pool, logger, one, dmaTimeoutMilliseconds } = this.#context;
    const { handleMessages, isServicing } = this.#context;
    const { interruptPin, msixVectors } = this.#pciFunction;
    const { path } = this.#socket;
    return new Connection({
      pciFunction: this.#pciFunction,
      stream: new MessageStream(libc, fd),
      interrupts: new Interrupts(libc, one, interruptPin === 0 ? 0 : 1, msixVectors),
      pool,
      logger,
      name: path,
      dmaTimeoutMilliseconds,
      handleMessages,
      isServicing,
      onNegotiated: () => this.#context.onConnect(path),
    });
  }

  /** True while the function shall not work yet, as its client changes the memory map. */
  get paused(): boolean {
    return this.#connection?.paused === true;
  }

  /** @returns true when the function has work left */
  service(): boolean {
    return this.#connection?.service() === true;
  }

  /** Drops the client when its connection is over. */
  dropFailed(): void {
    const connection = this.#connection;
    const failure = connection?.stream.failure;
    if (connection === undefined || failure === undefined) {
      return;
    }
    const { path } = this.#socket;
    const { logger, onDisconnect } = this.#context;
    this.#connection = undefined;
    connection.close();
    if (connection.stream.endedCleanly) {
      logger.info(`${path}: connection over: ${failure}`);
    } else {
      logger.error(`${path}: connection closed: ${failure}`);
    }
    if (connection.negotiated) {
      onDisconnect(path, failure);
    }
  }

  /** Disconnects the client, and removes the socket. */
  close(): void {
    this.#connection?.stream.end('the server is closed');
    this.dropFailed();
    this.#turnedAway.settle();
    closeListening(this.#context.libc, this.#socket);
  }
}
