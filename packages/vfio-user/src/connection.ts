/** One client of one function, from its connection to its end. */
import type { PciFunction, PciHost } from '@viommu/transport-pci';
import type { Logger } from '@viommu/virtqueue';
import { DmaExchange, type DmaExchangeHost } from './dma-exchange.ts';
import type { Interrupts } from './interrupts.ts';
import { DmaMemory } from './memory/dma-memory.ts';
import type { GuestRamPool } from './memory/guest-ram.ts';
import type { MessageStream } from './message-stream.ts';
import { handleMessage } from './messages/handle-message.ts';
import type { Reply, Request, Session } from './messages/message.ts';
import {
  FLAGS_ERROR,
  FLAGS_NO_REPLY,
  FLAGS_TYPE_COMMAND,
  FLAGS_TYPE_MASK,
  FLAGS_TYPE_REPLY,
  MAX_DATA_XFER_SIZE,
  VFIO_USER_DEVICE_RESET,
  VFIO_USER_DMA_MAP,
  VFIO_USER_DMA_UNMAP,
} from './protocol/constants.ts';
import {
  HEADER_COMMAND,
  HEADER_ERROR,
  HEADER_FLAGS,
  HEADER_ID,
  HEADER_MESSAGE_SIZE,
  HEADER_SIZE,
} from './protocol/layout.ts';

/**
 * QEMU changes its memory map by taking windows away and giving them back in parts, one message after the other and nothing
 * else between. A function that worked then would find its rings gone. So it pauses until another message, or so long.
 */
const REMAP_MILLISECONDS = 20;

export interface ConnectionOptions {
  readonly pciFunction: PciFunction;
  readonly stream: MessageStream;
  readonly interrupts: Interrupts;
  readonly pool: GuestRamPool;
  readonly logger: Logger;
  /** How log lines name this connection. */
  readonly name: string;
  readonly dmaTimeoutMilliseconds: number;
  /** Handles messages of all connections: what there is to do while one waits for a reply. */
  readonly handleMessages: (timeoutMilliseconds: number) => void;
  /** Whether functions are at work, this one or another that reports a fault through this one. */
  readonly isServicing: () => boolean;
  /** The client has negotiated, and the function is plugged in. */
  readonly onNegotiated: () => void;
}

/**
 * The function's registers are accessed as messages come; its `service` runs only when every request has been answered.
 * QEMU answers nothing while it waits for us, and so a DMA message before the answer would stop both for good.
 * While `service` waits for a DMA reply, requests are answered all the same, for the same reason.
 */
export class Connection implements DmaExchangeHost, Session {
  readonly stream: MessageStream;
  readonly pciFunction: PciFunction;
  readonly memory: DmaMemory;
  readonly interrupts: Interrupts;
  readonly timeoutMilliseconds: number;
  readonly handleMessages: (timeoutMilliseconds: number) => void;
  maxDataXferSize = MAX_DATA_XFER_SIZE;
  negotiated = false;

  readonly #options: ConnectionOptions;
  readonly #exchange: DmaExchange;
  readonly #request: Request;
  readonly #reply: Reply;
  #pluggedIn = false;
  #serving = false;
  /** A request of the client is being handled, and its answer is not sent. */
  #handling = false;
  #pausedUntil = 0;
  /** A reset has come while the function is at work. It waits, received but unanswered, and all DMA fails. */
  #resetHeld = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.stream = options.stream;
    this.pciFunction = options.pciFunction;
    this.interrupts = options.interrupts;
    this.timeoutMilliseconds = options.dmaTimeoutMilliseconds;
    this.handleMessages = options.handleMessages;
    this.#exchange = new DmaExchange(this);
    this.memory = new DmaMemory(options.pool, this.#exchange);
    this.#request = options.stream;
    this.#reply = {
      view: options.stream.buffers.toSend,
      bytes: options.stream.buffers.toSendBytes,
    };
  }

  get mayExchange(): boolean {
    return (
      this.#options.isServicing() &&
      !this.#handling &&
      !this.#resetHeld &&
      this.stream.failure === undefined
    );
  }

  /** A message is there, or its beginning, that {@link receive} would take without a wait for the socket. */
  get hasReadAhead(): boolean {
    return this.stream.hasReadAhead && !this.#resetHeld;
  }

  /** Handles messages that have come, at most `limit`, and not beyond one that was answered: its sender mostly waits. */
  receive(limit: number): void {
    for (let handled = 0; handled < limit; handled++) {
      if (this.#resetHeld || !this.stream.receive() || this.#handle()) {
        return;
      }
    }
  }

  /** @returns true when a reply was sent or nothing more shall be received for now */
  #handle(): boolean {
    const { received } = this.stream.buffers;
    const flags = received.getUint32(HEADER_FLAGS, true);
    const type = flags & FLAGS_TYPE_MASK;
    if (type === FLAGS_TYPE_REPLY) {
      this.#exchange.takeReply();
      this.stream.fds.closeAll();
      return true;
    }
    if (type !== FLAGS_TYPE_COMMAND) {
      this.stream.fail(`a message has the unknown type ${type}`);
      return true;
    }
    const command = received.getUint16(HEADER_COMMAND, true);
    if (command === VFIO_USER_DEVICE_RESET && (this.#serving || this.#exchange.isWaiting)) {
      this.#resetHeld = true;
      this.stream.fds.closeAll();
      return true;
    }
    this.#handling = true;
    try {
      return this.#answer(command, flags);
    } finally {
      this.#handling = false;
    }
  }

  #answer(command: number, flags: number): boolean {
    const { stream } = this;
    const { buffers } = stream;
    let result: number;
    try {
      result = handleMessage(command, this, this.#request, this.#reply);
      if (this.negotiated && !this.#pluggedIn) {
        this.#plugIn();
      }
    } catch (error) {
      stream.fail(`command ${command} met a fault in the function: ${describe(error)}`);
      return true;
    } finally {
      stream.fds.closeAll();
    }
    const changesMemory = command === VFIO_USER_DMA_MAP || command === VFIO_USER_DMA_UNMAP;
    if (changesMemory && result >= 0 && this.#pluggedIn) this.pciFunction.memoryChanged?.();
    if (command === VFIO_USER_DMA_UNMAP) {
      this.#pausedUntil = performance.now() + REMAP_MILLISECONDS;
    } else if (command !== VFIO_USER_DMA_MAP) {
      this.#pausedUntil = 0;
    }
    if (result < 0) {
      this.#options.logger.debug(`${this.#options.name}: command ${command}: errno ${-result}`);
    }
    if ((flags & FLAGS_NO_REPLY) !== 0) {
      return false;
    }
    const size = result < 0 ? HEADER_SIZE : result;
    const reply = buffers.toSend;
    reply.setUint16(HEADER_ID, buffers.received.getUint16(HEADER_ID, true), true);
    reply.setUint16(HEADER_COMMAND, command, true);
    reply.setUint32(HEADER_MESSAGE_SIZE, size, true);
    reply.setUint32(HEADER_FLAGS, FLAGS_TYPE_REPLY | (result < 0 ? FLAGS_ERROR : 0), true);
    reply.setUint32(HEADER_ERROR, result < 0 ? -result : 0, true);
    stream.send(size);
    return true;
  }

  #plugIn(): void {
    const { interrupts } = this;
    const host: PciHost = {
      memory: this.memory,
      ownsMsixTable: true,
      signalMsix: (vector) => interrupts.signalMsix(vector),
      setIntx: (asserted) => interrupts.setIntx(asserted),
    };
    this.#pluggedIn = true;
    this.pciFunction.connect(host);
    this.#options.onNegotiated();
  }

  /** True while the client changes its memory map: look again soon. */
  get paused(): boolean {
    if (this.#pausedUntil !== 0 && performance.now() >= this.#pausedUntil) {
      this.#pausedUntil = 0;
    }
    return this.#pausedUntil !== 0;
  }

  /**
   * Lets the function work, when nothing that it owes the client is unsent.
   *
   * @returns true when work is left
   */
  service(): boolean {
    this.#handleHeldReset();
    if (!this.#pluggedIn || this.stream.sendBlocked || this.stream.failure !== undefined) {
      return false;
    }
    let workLeft = false;
    this.#serving = true;
    try {
      workLeft = this.pciFunction.service();
    } catch (error) {
      this.stream.fail(`the function failed at its work: ${describe(error)}`);
    } finally {
      this.#serving = false;
    }
    this.#handleHeldReset();
    return workLeft && this.stream.failure === undefined;
  }

  #handleHeldReset(): void {
    if (!this.#resetHeld) {
      return;
    }
    this.#resetHeld = false;
    this.#handle();
  }

  /** Drops everything of the client: the function is unplugged, descriptors are closed, memory is given back. */
  close(): void {
    if (this.#pluggedIn) {
      this.#pluggedIn = false;
      this.pciFunction.disconnect();
    }
    this.memory.unmapAll();
    this.#options.pool.releaseIdle();
    this.interrupts.close();
    this.stream.close();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
