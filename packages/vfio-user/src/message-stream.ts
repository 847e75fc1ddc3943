/** Framing: whole messages in, whole messages out, over a socket that never blocks. */
import {
  EAGAIN,
  EINTR,
  type Libc,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
} from '@viommu/linux-io';
import { MAX_MESSAGE_SIZE, MessageBuffers } from './message-buffers.ts';
import { MAX_MSG_FDS } from './protocol/constants.ts';
import { HEADER_MESSAGE_SIZE, HEADER_SIZE } from './protocol/layout.ts';
import { ReceivedFds } from './received-fds.ts';

/** What is asked for when no message has begun: all of a short message in one call, and those that came right behind it. */
const READ_AHEAD = 4096;

/**
 * A peer that sends half a message, or does not read its replies, holds up only itself: its half message waits here, and
 * nothing more is received from it while something is left to send.
 */
export class MessageStream {
  readonly fd: number;
  readonly buffers: MessageBuffers;
  /** The message received last, from its header on; longer than it. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** The descriptors of the message received last; whoever handles it leaves none. */
  fds: ReceivedFds;
  /** Why the connection is over; undefined while it is not. */
  failure: string | undefined;
  /** True when the end is nobody's fault. */
  endedCleanly = false;

  readonly #libc: Libc;
  /** Bytes in `buffers.received`: a message, and what came behind it. */
  #received = 0;
  /** Of the first message there, once its header is. */
  #size = 0;
  /** The first message is whole, and the caller has had it. */
  #handedOut = false;
  /** Descriptors that have come, until the message with the byte before `#laterFdsEnd`, theirs, is the first. */
  #laterFds: ReceivedFds;
  #laterFdsEnd = 0;
  #iovecMoved = true;
  #sendFrom = 0;
  #sendTo = 0;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
    this.buffers = new MessageBuffers(libc);
    this.view = this.buffers.received;
    this.bytes = this.buffers.receivedBytes;
    this.fds = new ReceivedFds(libc);
    this.#laterFds = new ReceivedFds(libc);
  }

  /** Size of the message received last, header included. */
  get size(): number {
    return this.#size;
  }

  /** True while a message is partly sent: wait for POLLOUT, then {@link flush}. */
  get sendBlocked(): boolean {
    return this.#sendTo !== 0;
  }

  /** True when {@link receive} has bytes to begin with, so that the socket need not be waited for. */
  get hasReadAhead(): boolean {
    return this.#handedOut && this.#received > this.#size && this.#mayReceive;
  }

  get #mayReceive(): boolean {
    return this.failure === undefined && !this.sendBlocked;
  }

  /** Ends the connection; the first reason counts. */
  fail(reason: string): void {
    this.failure ??= reason;
  }

  /** Ends the connection in good order. */
  end(reason: string): void {
    this.endedCleanly = this.failure === undefined;
    this.fail(reason);
  }

  /**
   * Receives without blocking.
   *
   * @returns true when a whole message is in `buffers.received`; it stays there until the next call
   */
  receive(): boolean {
    if (!this.#mayReceive) {
      return false;
    }
    if (this.#handedOut) {
      this.#dropFirst();
    }
    if ((this.#received < HEADER_SIZE && !this.#receiveStart()) || !this.#receiveRest()) {
      return false;
    }
    if (this.#laterFds.count > 0 && this.#laterFdsEnd <= this.#size) {
      [this.fds, this.#laterFds] = [this.#laterFds, this.fds];
    }
    this.#handedOut = true;
    return true;
  }

  #dropFirst(): void {
    this.#handedOut = false;
    if (this.#received > this.#size) {
      this.bytes.copyWithin(0, this.#size, this.#received);
      this.#laterFdsEnd -= this.#size;
    }
    this.#received -= this.#size;
  }

  // recvmsg() ends behind the bytes that descriptors came with (unix(7)), and each message is sent by a call of its own: so
  // they belong to the message that the bytes end in. Once a message has begun, nothing beyond its end is asked for.
  #receiveStart(): boolean {
    const start = this.#received;
    if (start !== 0 || this.#iovecMoved) {
      this.buffers.receiveInto(start, start === 0 ? READ_AHEAD : HEADER_SIZE - start);
      this.#iovecMoved = start !== 0;
    }
    this.buffers.offerControl();
    const count = this.#libc.recvmsg(
      this.fd,
      this.buffers.msghdrAddress,
      MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
    );
    if (count <= 0) {
      this.#noBytes(count);
      return false;
    }
    if (!this.buffers.takeFds(this.#laterFds) || (this.buffers.messageFlags & MSG_CTRUNC) !== 0) {
      this.fail(`a message came with more than ${MAX_MSG_FDS} file descriptors`);
      return false;
    }
    this.#received += count;
    this.#laterFdsEnd = this.#received;
    return this.#received >= HEADER_SIZE;
  }

  #receiveRest(): boolean {
    this.#size = this.buffers.received.getUint32(HEADER_MESSAGE_SIZE, true);
    if (this.#size < HEADER_SIZE || this.#size > MAX_MESSAGE_SIZE) {
      this.fail(
        `a message claims ${this.#size} bytes; ${HEADER_SIZE} to ${MAX_MESSAGE_SIZE} are allowed`,
      );
      return false;
    }
    const left = this.#size - this.#received;
    if (left <= 0) {
      return true;
    }
    const target = this.buffers.receivedAddress + BigInt(this.#received);
    const count = this.#libc.recv(this.fd, target, left, MSG_DONTWAIT);
    if (count <= 0) {
      this.#noBytes(count);
      return false;
    }
    this.#received += count;
    return count === left;
  }

  #noBytes(count: number): void {
    if (count === 0) {
      if (this.#received === 0) {
        this.end('the client closed it');
      } else {
        this.fail('the client closed it within a message');
      }
      return;
    }
    const errno = this.#libc.errno();
    if (errno !== EAGAIN && errno !== EINTR) {
      this.fail(`receiving failed with errno ${errno}`);
    }
  }

  /** Sends the first `size` bytes of `buffers.toSend`, which must not change while {@link sendBlocked}. */
  send(size: number): void {
    this.#sendFrom = 0;
    this.#sendTo = size;
    this.flush();
  }

  /** Goes on sending what is left. */
  flush(): void {
    if (this.#sendTo === 0 || this.failure !== undefined) {
      return;
    }
    const source =
      this.#sendFrom === 0
        ? this.buffers.toSendAddress
        : this.buffers.toSendAddress + BigInt(this.#sendFrom);
    const length = this.#sendTo - this.#sendFrom;
    const count = this.#libc.send(this.fd, source, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      const errno = this.#libc.errno();
      if (errno !== EAGAIN && errno !== EINTR) {
        this.fail(`sending failed with errno ${errno}`);
      }
      return;
    }
    this.#sendFrom += count;
    if (this.#sendFrom === this.#sendTo) {
      this.#sendTo = 0;
    }
  }

  close(): void {
    this.fds.closeAll();
    this.#laterFds.closeAll();
    this.#libc.close(this.fd);
    this.buffers.giveBack();
  }
}
