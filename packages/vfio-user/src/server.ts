/** VfioUserServer: serves PCI functions on UNIX sockets, all in the thread that calls `run`. */
import type { PciFunction } from '@viommu/transport-pci';
import { type Logger, silentLogger } from '@viommu/virtqueue';
import { Connection } from './connection.ts';
import { VfioUserError } from './error.ts';
import { Interrupts } from './interrupts.ts';
import { GuestRamPool } from './memory/guest-ram.ts';
import { MessageStream } from './message-stream.ts';
import { Arena } from './native/arena.ts';
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from './native/constants.ts';
import { type Libc, requireLibc } from './native/ffi.ts';
import { POLL_SLOTS, PollSet } from './native/poll-set.ts';
import { closeListening, type ListeningSocket, listenOn } from './unix-socket.ts';

export interface VfioUserServerOptions {
  readonly logger?: Logger;
  /** A client has negotiated, and its function is plugged in. */
  readonly onConnect?: (path: string) => void;
  /** A client is gone, its function is unplugged, and the next client is welcome. */
  readonly onDisconnect?: (path: string, reason: string) => void;
  /** How long a client that shares no memory may take to answer a DMA message; 5000 by default, as QEMU gives us. */
  readonly dmaTimeoutMilliseconds?: number;
}

interface Endpoint {
  readonly socket: ListeningSocket;
  readonly pciFunction: PciFunction;
  connection: Connection | undefined;
}

/** How many messages of one client are handled before the others have their turn. */
const MESSAGES_PER_TURN = 64;
const DMA_TIMEOUT_MILLISECONDS = 5000;
/** How soon to look whether a paused function may go on. */
const PAUSE_MILLISECONDS = 1;
const ONE_SIZE = 8;
const STOP_SLOT = 0;
const MAX_ENDPOINTS = Math.floor((POLL_SLOTS - 1) / 2);

export class VfioUserServer {
  /** For {@link requestStop}: a number, so that it can be sent to another thread. */
  readonly stopHandle: number;

  readonly #options: VfioUserServerOptions;
  readonly #logger: Logger;
  readonly #libc: Libc;
  readonly #pollSet: PollSet;
  readonly #one: Arena;
  readonly #pool: GuestRamPool;
  readonly #endpoints: Endpoint[] = [];
  readonly #handleMessages = (timeoutMilliseconds: number): void => {
    this.#waitAndReceive(timeoutMilliseconds);
  };
  #workLeft = false;
  #paused = false;
  #stopAsked = false;
  #closed = false;

  /**
   * @throws {VfioUserError} UNSUPPORTED when this system cannot serve vfio-user, SYSTEM
   */
  constructor(options: VfioUserServerOptions = {}) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#libc = requireLibc();
    this.#pool = new GuestRamPool(this.#libc);
    this.stopHandle = this.#libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.stopHandle < 0) {
      throw new VfioUserError('SYSTEM', `eventfd() failed: errno ${this.#libc.errno()}`);
    }
    this.#one = Arena.take(this.#libc, ONE_SIZE);
    this.#one.view.setUint32(0, 1, true);
    this.#pollSet = new PollSet(this.#libc);
    this.#pollSet.set(STOP_SLOT, this.stopHandle, POLLIN);
  }

  /**
   * Serves a function to one client at a time. The socket exists on return, with mode 0600; clients are served by
   * {@link run}. A socket that nobody listens on any more is replaced.
   *
   * @throws {VfioUserError} PATH_TOO_LONG, NO_DIRECTORY, NOT_A_SOCKET, ADDRESS_IN_USE, PERMISSION, TOO_MANY_FUNCTIONS,
   * CLOSED, SYSTEM
   */
  listen(path: string, pciFunction: PciFunction): void {
    this.#requireOpen();
    if (this.#endpoints.length === MAX_ENDPOINTS) {
      throw new VfioUserError('TOO_MANY_FUNCTIONS', `One server takes ${MAX_ENDPOINTS} functions`);
    }
    const socket = listenOn(this.#libc, path);
    const index = this.#endpoints.length;
    this.#endpoints.push({ socket, pciFunction, connection: undefined });
    this.#pollSet.clear(listenerSlot(index));
    this.#pollSet.clear(connectionSlot(index));
  }

  /** Serves until {@link requestStop}; blocks the thread. */
  run(): void {
    while (this.poll(-1)) {}
  }

  /**
   * One round: waits for messages, at most so long (-1 is no limit), answers them, and lets the functions work. Does not
   * wait while a function has work left.
   *
   * @returns false once stop was asked
   * @throws {VfioUserError} CLOSED
   */
  poll(timeoutMilliseconds: number): boolean {
    this.#requireOpen();
    if (this.#stopAsked) {
      return false;
    }
    this.#waitAndReceive(this.#longestWait(timeoutMilliseconds));
    // Twice: the work of one function can be work for another that had its turn, as a fault is for the IOMMU.
    this.#service();
    this.#workLeft = this.#service();
    this.#dropFailed();
    return !this.#stopAsked;
  }

  /** Ends all connections, and removes the sockets. Safe to call more than once. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    for (let index = 0; index < this.#endpoints.length; index++) {
      this.#endpoints[index]!.connection?.stream.fail('the server is closed');
      this.#drop(index);
      closeListening(this.#libc, this.#endpoints[index]!.socket);
    }
    this.#libc.close(this.stopHandle);
    this.#pollSet.giveBack();
    this.#one.giveBack();
  }

  #longestWait(timeoutMilliseconds: number): number {
    if (this.#workLeft || timeoutMilliseconds === 0) {
      return 0;
    }
    return this.#paused ? PAUSE_MILLISECONDS : timeoutMilliseconds;
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw new VfioUserError('CLOSED', 'The server is closed: create a new one');
    }
  }

  #waitAndReceive(timeoutMilliseconds: number): void {
    for (let index = 0; index < this.#endpoints.length; index++) {
      this.#watch(index);
    }
    this.#pollSet.wait(timeoutMilliseconds);
    if (this.#pollSet.events(STOP_SLOT) !== 0) {
      this.#stopAsked = true;
      this.#pollSet.clear(STOP_SLOT);
    }
    for (let index = 0; index < this.#endpoints.length; index++) {
      const { connection } = this.#endpoints[index]!;
      if (connection !== undefined && this.#pollSet.events(connectionSlot(index)) !== 0) {
        connection.stream.flush();
        connection.receive(MESSAGES_PER_TURN);
      }
    }
    this.#accept();
  }

  /** A failed connection is watched no more, and until it is dropped the next client waits. */
  #watch(index: number): void {
    const { socket, connection } = this.#endpoints[index]!;
    const stream = connection?.stream;
    if (stream?.failure !== undefined) {
      this.#pollSet.clear(listenerSlot(index));
      this.#pollSet.clear(connectionSlot(index));
      return;
    }
    this.#pollSet.set(listenerSlot(index), socket.fd, POLLIN);
    if (stream !== undefined) {
      this.#pollSet.set(connectionSlot(index), stream.fd, stream.sendBlocked ? POLLOUT : POLLIN);
    }
  }

  #accept(): void {
    for (let index = 0; index < this.#endpoints.length; index++) {
      // A client that has hung up is about to make room: the next one waits that long.
      const hangingUp = (this.#pollSet.events(connectionSlot(index)) & POLLHUP) !== 0;
      if (this.#pollSet.events(listenerSlot(index)) !== 0 && !hangingUp) {
        this.#acceptOne(index);
      }
    }
  }

  #acceptOne(index: number): void {
    const endpoint = this.#endpoints[index]!;
    const { socket, pciFunction } = endpoint;
    const fd = this.#libc.accept4(socket.fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      return;
    }
    if (endpoint.connection !== undefined) {
      if (endpoint.connection.negotiated) {
        this.#logger.warn(`${socket.path}: a second client was turned away; one is connected`);
        this.#libc.close(fd);
        return;
      }
      endpoint.connection.stream.fail('another client came before it had negotiated');
      this.#drop(index);
    }
    const interrupts = new Interrupts(
      this.#libc,
      this.#one.address,
      pciFunction.interruptPin === 0 ? 0 : 1,
      pciFunction.msixVectors,
    );
    endpoint.connection = new Connection({
      pciFunction,
      stream: new MessageStream(this.#libc, fd),
      interrupts,
      pool: this.#pool,
      logger: this.#logger,
      name: socket.path,
      dmaTimeoutMilliseconds: this.#options.dmaTimeoutMilliseconds ?? DMA_TIMEOUT_MILLISECONDS,
      handleMessages: this.#handleMessages,
      onNegotiated: () => this.#options.onConnect?.(socket.path),
    });
  }

  #service(): boolean {
    let workLeft = false;
    this.#paused = false;
    for (let index = 0; index < this.#endpoints.length; index++) {
      const { connection } = this.#endpoints[index]!;
      if (connection?.paused === true) {
        this.#paused = true;
      } else if (connection?.service() === true) {
        workLeft = true;
      }
    }
    return workLeft;
  }

  #dropFailed(): void {
    for (let index = 0; index < this.#endpoints.length; index++) {
      if (this.#endpoints[index]!.connection?.stream.failure !== undefined) {
        this.#drop(index);
      }
    }
  }

  #drop(index: number): void {
    const endpoint = this.#endpoints[index]!;
    const { connection, socket } = endpoint;
    if (connection === undefined) {
      return;
    }
    const { failure = '', endedCleanly } = connection.stream;
    endpoint.connection = undefined;
    this.#pollSet.clear(connectionSlot(index));
    connection.close();
    if (endedCleanly || this.#closed) {
      this.#logger.info(`${socket.path}: connection over: ${failure}`);
    } else {
      this.#logger.error(`${socket.path}: connection closed: ${failure}`);
    }
    if (connection.negotiated) {
      this.#options.onDisconnect?.(socket.path, failure);
    }
  }
}

function listenerSlot(index: number): number {
  return 1 + 2 * index;
}

function connectionSlot(index: number): number {
  return 2 + 2 * index;
}
