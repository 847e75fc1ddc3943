/** VfioUserServer: serves PCI functions on UNIX sockets, all in the thread that calls `run`. */

import {
  Arena,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  type Libc,
  POLL_SLOTS,
  POLLIN,
  PollSet,
} from '@viommu/linux-io';
import type { PciFunction } from '@viommu/transport-pci';
import { type Logger, silentLogger } from '@viommu/virtqueue';
import { Endpoint, type EndpointContext, REST_MILLISECONDS } from './endpoint.ts';
import { VfioUserError } from './error.ts';
import { GuestRamPool } from './memory/guest-ram.ts';
import type { PollSource } from './poll-source.ts';
import { requireSupport } from './support.ts';
import { listenOn } from './unix-socket.ts';
import { WatchedSource } from './watched-source.ts';

export interface VfioUserServerOptions {
  readonly logger?: Logger;
  /** A client has negotiated, and its function is plugged in. */
  readonly onConnect?: (path: string) => void;
  /** A client is gone, its function is unplugged, and the next client is welcome. */
  readonly onDisconnect?: (path: string, reason: string) => void;
  /**
   * A user ID whose clients are served besides those of this process's own user and root. The sockets are then that user's,
   * which takes root.
   */
  readonly allowUid?: number;
  /** How long a client that shares no memory may take to answer a DMA message; 5000 by default, as QEMU gives us. */
  readonly dmaTimeoutMilliseconds?: number;
}

const DMA_TIMEOUT_MILLISECONDS = 5000;
/** How soon to look whether a paused function may go on. */
const PAUSE_MILLISECONDS = 1;
/** While a function has work left: a look at all sockets costs as much as some looks at a queue that is polled. */
const LOOK_MILLISECONDS = 0.01;
const ONE_SIZE = 8;
const STOP_SLOT = 0;

export class VfioUserServer {
  /** For {@link requestStop}: a number, so that it can be sent to another thread. */
  readonly stopHandle: number;

  readonly #libc: Libc;
  readonly #pollSet: PollSet;
  readonly #one: Arena;
  readonly #context: EndpointContext;
  readonly #endpoints: Endpoint[] = [];
  readonly #sources: WatchedSource[] = [];
  #nextSlot = STOP_SLOT + 1;
  #workLeft = false;
  /** While work is left: when to look for messages again. */
  #nextLook = 0;
  #servicing = false;
  /** Messages were handled while a function waited for memory: a kick of one that had its turn may be among them. */
  #interleaved = false;
  #paused = false;
  /** When a source wants to work again. */
  #nextWork = Number.POSITIVE_INFINITY;
  #stopAsked = false;
  #closed = false;

  /**
   * @throws {VfioUserError} UNSUPPORTED when this system cannot serve vfio-user, SYSTEM
   * @throws {LinuxIoError} SYSTEM when there is no memory for messages
   */
  constructor(options: VfioUserServerOptions = {}) {
    this.#libc = requireSupport();
    this.stopHandle = this.#libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (this.stopHandle < 0) {
      throw new VfioUserError('SYSTEM', `eventfd() failed: errno ${this.#libc.errno()}`);
    }
    this.#one = Arena.take(this.#libc, ONE_SIZE);
    this.#one.view.setUint32(0, 1, true);
    this.#pollSet = new PollSet(this.#libc);
    this.#pollSet.set(STOP_SLOT, this.stopHandle, POLLIN);
    this.#context = {
      libc: this.#libc,
      pollSet: this.#pollSet,
      pool: new GuestRamPool(this.#libc),
      logger: options.logger ?? silentLogger,
      allowUid: options.allowUid,
      one: this.#one.address,
      dmaTimeoutMilliseconds: options.dmaTimeoutMilliseconds ?? DMA_TIMEOUT_MILLISECONDS,
      handleMessages: (timeoutMilliseconds) => {
        this.#interleaved = true;
        this.#waitAndHandle(timeoutMilliseconds);
      },
      isServicing: () => this.#servicing,
      onConnect: (path) => options.onConnect?.(path),
      onDisconnect: (path, reason) => options.onDisconnect?.(path, reason),
    };
  }

  /**
   * Serves a function to one client at a time. The socket exists on return, with mode 0600; clients are served by
   * {@link run}. A socket that nobody listens on any more is replaced.
   *
   * @throws {VfioUserError} PATH_TOO_LONG, NO_DIRECTORY, UNSAFE_DIRECTORY, NOT_A_SOCKET, ADDRESS_IN_USE, PERMISSION,
   * TOO_MANY_FUNCTIONS, CLOSED, SYSTEM
   */
  listen(path: string, pciFunction: PciFunction): void {
    this.#requireOpen();
    this.#requireSlots(Endpoint.SLOTS);
    const socket = listenOn(this.#libc, path, this.#context.allowUid);
    this.#endpoints.push(new Endpoint(this.#context, socket, pciFunction, this.#nextSlot));
    this.#nextSlot += Endpoint.SLOTS;
  }

  /**
   * Has {@link run} wake up for a descriptor of a device's backend, too; the functions work after each wake-up.
   *
   * @throws {VfioUserError} TOO_MANY_FUNCTIONS, CLOSED
   */
  watch(source: PollSource): void {
    this.#requireOpen();
    this.#requireSlots(WatchedSource.SLOTS);
    this.#sources.push(new WatchedSource(this.#pollSet, source, this.#nextSlot));
    this.#nextSlot += WatchedSource.SLOTS;
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
    this.#workOfSources();
    const wait = this.#longestWait(timeoutMilliseconds);
    const now = performance.now();
    if (!this.#workLeft || now >= this.#nextLook) {
      this.#nextLook = now + LOOK_MILLISECONDS;
      this.#waitAndHandle(wait);
    }
    // Twice: the work of one function can be work for another that had its turn, as a fault is for the IOMMU.
    this.#service();
    this.#interleaved = false;
    this.#workLeft = this.#service() || this.#interleaved;
    for (const endpoint of this.#endpoints) {
      endpoint.dropFailed();
    }
    return !this.#stopAsked;
  }

  /** Ends all connections, and removes the sockets. Safe to call more than once. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    for (const endpoint of this.#endpoints) {
      endpoint.close();
    }
    this.#libc.close(this.stopHandle);
    this.#pollSet.giveBack();
    this.#one.giveBack();
  }

  #longestWait(timeoutMilliseconds: number): number {
    if (this.#workLeft || timeoutMilliseconds === 0) {
      return 0;
    }
    if (this.#paused) {
      return PAUSE_MILLISECONDS;
    }
    if (this.#nextWork === Number.POSITIVE_INFINITY) {
      return timeoutMilliseconds;
    }
    const untilWork = Math.max(0, Math.ceil(this.#nextWork - performance.now()));
    return timeoutMilliseconds < 0 ? untilWork : Math.min(untilWork, timeoutMilliseconds);
  }

  #requireOpen(): void {
    if (this.#closed) {
      throw new VfioUserError('CLOSED', 'The server is closed: create a new one');
    }
  }

  #requireSlots(count: number): void {
    if (this.#nextSlot + count > POLL_SLOTS) {
      throw new VfioUserError(
        'TOO_MANY_FUNCTIONS',
        `One server waits for ${POLL_SLOTS} descriptors, ${Endpoint.SLOTS} for each function: start another`,
      );
    }
  }

  #waitAndHandle(timeoutMilliseconds: number): void {
    let timeout = timeoutMilliseconds;
    for (const endpoint of this.#endpoints) {
      if (endpoint.watch()) {
        timeout = 0;
      } else if (endpoint.resting && (timeout < 0 || timeout > REST_MILLISECONDS)) {
        timeout = REST_MILLISECONDS;
      }
    }
    for (const source of this.#sources) {
      source.watch();
    }
    this.#pollSet.wait(timeout);
    if (this.#pollSet.events(STOP_SLOT) !== 0) {
      this.#stopAsked = true;
      this.#pollSet.clear(STOP_SLOT);
    }
    for (const source of this.#sources) {
      source.handleEvents();
    }
    for (const endpoint of this.#endpoints) {
      endpoint.handleEvents();
    }
  }

  #workOfSources(): void {
    this.#nextWork = Number.POSITIVE_INFINITY;
    if (this.#sources.length === 0 || this.#endpoints.some(isPaused)) {
      return;
    }
    this.#servicing = true;
    for (const source of this.#sources) {
      const milliseconds = source.work();
      if (milliseconds >= 0) {
        this.#nextWork = Math.min(this.#nextWork, performance.now() + milliseconds);
      }
    }
    this.#servicing = false;
  }

  #service(): boolean {
    let workLeft = false;
    this.#paused = false;
    this.#servicing = true;
    for (const endpoint of this.#endpoints) {
      if (endpoint.paused) {
        this.#paused = true;
      } else if (endpoint.service()) {
        workLeft = true;
      }
    }
    this.#servicing = false;
    return workLeft;
  }
}

function isPaused({ paused }: Endpoint): boolean {
  return paused;
}
