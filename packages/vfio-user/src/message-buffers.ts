/** The buffers of one connection: a received message, a message to send, and what recvmsg() needs to bring descriptors. */

import { Arena, type Libc, type Pointer, SCM_RIGHTS, SOL_SOCKET } from '@viommu/linux-io';
import { MAX_DATA_XFER_SIZE } from './protocol/constants.ts';
import { DMA_ACCESS_SIZE } from './protocol/layout.ts';

/** No message is longer: the most data, after the longest fixed part that any message with data has. */
export const MAX_MESSAGE_SIZE = DMA_ACCESS_SIZE + MAX_DATA_XFER_SIZE;

// struct msghdr, struct iovec and the control messages, in the arena's first page.
const MSGHDR = 0;
const MSGHDR_IOV = 16;
const MSGHDR_IOVLEN = 24;
const MSGHDR_CONTROL = 32;
const MSGHDR_CONTROLLEN = 40;
const MSGHDR_FLAGS = 48;
const IOVEC = 64;
const IOVEC_LENGTH = 8;
const CONTROL = 128;
/** Room for more descriptors than are allowed, so that a peer that sends too many gets them closed one by one. */
const CONTROL_SIZE = 1040;

const CMSG_LEVEL = 8;
const CMSG_TYPE = 12;
const CMSG_HEADER_SIZE = 16;
const CMSG_ALIGNMENT = 8;
const FD_SIZE = 4;

const RECEIVED = 4096;
const MESSAGE_ROOM = 0x10_1000;
const TO_SEND = RECEIVED + MESSAGE_ROOM;
const ARENA_SIZE = TO_SEND + MESSAGE_ROOM;

export class MessageBuffers {
  readonly received: DataView;
  readonly receivedBytes: Uint8Array;
  readonly toSend: DataView;
  readonly toSendBytes: Uint8Array;

  readonly msghdrAddress: Pointer;
  readonly receivedAddress: Pointer;
  readonly toSendAddress: Pointer;

  readonly #arena: Arena;
  readonly #view: DataView;

  constructor(libc: Libc) {
    const arena = Arena.take(libc, ARENA_SIZE);
    this.#arena = arena;
    this.#view = arena.view;
    this.received = new DataView(arena.buffer, RECEIVED, MAX_MESSAGE_SIZE);
    this.receivedBytes = new Uint8Array(arena.buffer, RECEIVED, MAX_MESSAGE_SIZE);
    this.toSend = new DataView(arena.buffer, TO_SEND, MAX_MESSAGE_SIZE);
    this.toSendBytes = new Uint8Array(arena.buffer, TO_SEND, MAX_MESSAGE_SIZE);
    this.msghdrAddress = arena.addressOf(MSGHDR);
    this.receivedAddress = arena.addressOf(RECEIVED);
    this.toSendAddress = arena.addressOf(TO_SEND);

    this.#view.setBigUint64(MSGHDR + MSGHDR_IOV, arena.addressOf(IOVEC), true);
    this.#view.setUint32(MSGHDR + MSGHDR_IOVLEN, 1, true);
    this.#view.setBigUint64(MSGHDR + MSGHDR_CONTROL, arena.addressOf(CONTROL), true);
  }

  /** Makes the next recvmsg() put `length` bytes at `offset` of the received message. */
  receiveInto(offset: number, length: number): void {
    this.#view.setBigUint64(IOVEC, this.receivedAddress + BigInt(offset), true);
    this.#view.setUint32(IOVEC + IOVEC_LENGTH, length, true);
  }

  /** To be called before each recvmsg(), which overwrites it. */
  offerControl(): void {
    this.#view.setUint32(MSGHDR + MSGHDR_CONTROLLEN, CONTROL_SIZE, true);
    this.#view.setInt32(MSGHDR + MSGHDR_FLAGS, 0, true);
  }

  /** `msg_flags` of the last recvmsg(). */
  get messageFlags(): number {
    return this.#view.getInt32(MSGHDR + MSGHDR_FLAGS, true);
  }

  /**
   * Hands each descriptor that the last recvmsg() brought to `sink`.
   *
   * @returns false when the sink refused one
   */
  takeFds(sink: { add(fd: number): boolean }): boolean {
    const end = CONTROL + this.#view.getUint32(MSGHDR + MSGHDR_CONTROLLEN, true);
    let accepted = true;
    let at = CONTROL;
    while (at + CMSG_HEADER_SIZE <= end) {
      const length = this.#view.getUint32(at, true);
      if (length < CMSG_HEADER_SIZE) {
        break;
      }
      if (
        this.#view.getInt32(at + CMSG_LEVEL, true) === SOL_SOCKET &&
        this.#view.getInt32(at + CMSG_TYPE, true) === SCM_RIGHTS
      ) {
        for (let fd = at + CMSG_HEADER_SIZE; fd + FD_SIZE <= at + length; fd += FD_SIZE) {
          accepted = sink.add(this.#view.getInt32(fd, true)) && accepted;
        }
      }
      at += Math.ceil(length / CMSG_ALIGNMENT) * CMSG_ALIGNMENT;
    }
    return accepted;
  }

  giveBack(): void {
    this.#arena.giveBack();
  }
}
