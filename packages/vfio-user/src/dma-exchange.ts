/** VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE: memory that the client does not share, by messages to it. */
import type { DmaMessages } from './memory/dma-memory.ts';
import type { MessageStream } from './message-stream.ts';
import {
  FLAGS_ERROR,
  FLAGS_TYPE_COMMAND,
  VFIO_USER_DMA_READ,
  VFIO_USER_DMA_WRITE,
} from './protocol/constants.ts';
import {
  DMA_ACCESS_ADDRESS,
  DMA_ACCESS_COUNT,
  DMA_ACCESS_DATA,
  DMA_ACCESS_SIZE,
  HEADER_COMMAND,
  HEADER_ERROR,
  HEADER_FLAGS,
  HEADER_ID,
  HEADER_MESSAGE_SIZE,
  writeUint64,
} from './protocol/layout.ts';

/** Our identifiers, apart from the client's so that a trace of the socket reads well. */
const FIRST_ID = 0x8000;
const ID_MASK = 0x7fff;
/**
 * Most data in one exchange. QEMU loses the rest of a reply that does not fit into its socket's buffer at once (seen with
 * 11.1.3 from 256 KiB on), although it allows 1 MiB.
 */
const MAX_EXCHANGE_DATA = 65536;

/** What an exchange needs of its connection. */
export interface DmaExchangeHost {
  readonly stream: MessageStream;
  readonly maxDataXferSize: number;
  /** False while no message may be sent: the client waits for an answer of ours, and would not answer us first. */
  readonly mayExchange: boolean;
  readonly timeoutMilliseconds: number;
  /** Handles messages, of all connections, until there are some or the time is over. */
  handleMessages(timeoutMilliseconds: number): void;
}

export class DmaExchange implements DmaMessages {
  readonly #host: DmaExchangeHost;
  #nextId = 0;
  #awaitedId = -1;
  #awaitedCommand = 0;
  #answered = false;
  #succeeded = false;
  /** Requests whose replies are still to come, given-up ones included. */
  #outstanding = 0;
  #target: Uint8Array | undefined;
  #targetOffset = 0;
  #count = 0;

  constructor(host: DmaExchangeHost) {
    this.#host = host;
  }

  /** Whether a reply is awaited right now. */
  get isWaiting(): boolean {
    return this.#awaitedId !== -1;
  }

  readDma(address: number, target: Uint8Array, targetOffset: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const count = Math.min(length - done, this.#host.maxDataXferSize, MAX_EXCHANGE_DATA);
      if (!this.#host.mayExchange) {
        return false;
      }
      this.#target = target;
      this.#targetOffset = targetOffset + done;
      if (!this.#exchange(VFIO_USER_DMA_READ, address + done, count, DMA_ACCESS_SIZE)) {
        return false;
      }
      done += count;
    }
    return true;
  }

  writeDma(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    const { buffers } = this.#host.stream;
    for (let done = 0; done < length; ) {
      const count = Math.min(length - done, this.#host.maxDataXferSize, MAX_EXCHANGE_DATA);
      if (!this.#host.mayExchange) {
        return false;
      }
      const from = sourceOffset + done;
      buffers.toSendBytes.set(source.subarray(from, from + count), DMA_ACCESS_DATA);
      if (!this.#exchange(VFIO_USER_DMA_WRITE, address + done, count, DMA_ACCESS_SIZE + count)) {
        return false;
      }
      done += count;
    }
    return true;
  }

  #exchange(command: number, address: number, count: number, size: number): boolean {
    const { stream } = this.#host;
    const message = stream.buffers.toSend;
    this.#awaitedId = FIRST_ID | (this.#nextId++ & ID_MASK);
    this.#awaitedCommand = command;
    this.#count = count;
    this.#answered = false;
    message.setUint16(HEADER_ID, this.#awaitedId, true);
    message.setUint16(HEADER_COMMAND, command, true);
    message.setUint32(HEADER_MESSAGE_SIZE, size, true);
    message.setUint32(HEADER_FLAGS, FLAGS_TYPE_COMMAND, true);
    message.setUint32(HEADER_ERROR, 0, true);
    writeUint64(message, DMA_ACCESS_ADDRESS, address);
    writeUint64(message, DMA_ACCESS_COUNT, count);
    this.#outstanding++;
    stream.send(size);
    this.#await();
    this.#awaitedId = -1;
    this.#target = undefined;
    return this.#answered && this.#succeeded;
  }

  #await(): void {
    const { timeoutMilliseconds, stream } = this.#host;
    const deadline = performance.now() + timeoutMilliseconds;
    while (!this.#answered && this.#host.mayExchange) {
      const left = deadline - performance.now();
      if (left <= 0) {
        const name = this.#awaitedCommand === VFIO_USER_DMA_READ ? 'DMA_READ' : 'DMA_WRITE';
        stream.fail(`the client did not answer ${name} within ${timeoutMilliseconds} ms`);
        return;
      }
      this.#host.handleMessages(Math.ceil(left));
    }
  }

  /** Takes the reply that the stream has received; one that answers nothing ends the connection. */
  takeReply(): void {
    const { stream } = this.#host;
    const message = stream.buffers.received;
    if (this.#outstanding === 0) {
      stream.fail('the client sent a reply that nothing was asked for');
      return;
    }
    this.#outstanding--;
    const id = message.getUint16(HEADER_ID, true);
    const command = message.getUint16(HEADER_COMMAND, true);
    if (id !== this.#awaitedId || command !== this.#awaitedCommand) {
      // The reply to an exchange that a reset cut short.
      return;
    }
    this.#answered = true;
    this.#succeeded = (message.getUint32(HEADER_FLAGS, true) & FLAGS_ERROR) === 0;
    if (this.#succeeded && this.#target !== undefined) {
      this.#takeData(this.#target);
    }
  }

  #takeData(target: Uint8Array): void {
    const { stream } = this.#host;
    if (stream.size !== DMA_ACCESS_DATA + this.#count) {
      stream.fail(`a reply to DMA_READ has ${stream.size} bytes for ${this.#count} of data`);
      this.#succeeded = false;
      return;
    }
    const data = stream.buffers.receivedBytes.subarray(DMA_ACCESS_DATA, stream.size);
    target.set(data, this.#targetOffset);
  }
}
