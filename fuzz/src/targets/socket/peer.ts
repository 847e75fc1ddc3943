/** SocketPeer: the client's end of a vfio-user socket, in the server's own thread; and descriptors to send over it. */
import { ftruncateSync } from 'node:fs';
import {
  Arena,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  type Libc,
  MAP_SHARED,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  PROT_READ,
  PROT_WRITE,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  unixSocketAddress,
} from '@viommu/linux-io';
import koffi from 'koffi';
import { violated } from '../../engine/invariant.ts';

const AF_UNIX = 1;
const MFD_CLOEXEC = 1;
const library = koffi.load(null);
const memfdCreate = library.func('int memfd_create(const char*, unsigned int)');
const sendmsg = library.func('int64_t sendmsg(int, void*, int)');

/** Of what is sent and received at once. */
const CHUNK_MAX = 2 ** 19;
// struct msghdr, struct iovec and one control message, in the arena's first page.
const [IOVEC, CONTROL, DATA] = [64, 128, 4096];
const CONTROL_HEADER = 16;

export class SocketPeer {
  /** The server's end is closed. */
  isGone = false;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #arena: Arena;
  readonly #bytes: Uint8Array;
  #isClosed = false;

  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#arena = Arena.take(libc, DATA + CHUNK_MAX);
    this.#bytes = new Uint8Array(this.#arena.buffer, DATA);
    this.#fd = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const address = unixSocketAddress(path)!;
    if (libc.connect(this.#fd, address, address.length) !== 0) {
      violated(`the server takes no connection: errno ${libc.errno()}`);
    }
  }

  /** Sends at once. @returns how many of the bytes there was room for */
  send(bytes: Uint8Array, descriptors: readonly number[] = []): number {
    const { view } = this.#arena;
    this.#bytes.set(bytes);
    const control = CONTROL_HEADER + 4 * descriptors.length;
    view.setBigUint64(16, this.#arena.addressOf(IOVEC), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, descriptors.length === 0 ? 0n : this.#arena.addressOf(CONTROL), true);
    view.setBigUint64(40, descriptors.length === 0 ? 0n : BigInt(Math.ceil(control / 8) * 8), true);
    view.setBigUint64(IOVEC, this.#arena.addressOf(DATA), true);
    view.setBigUint64(IOVEC + 8, BigInt(bytes.length), true);
    view.setBigUint64(CONTROL, BigInt(control), true);
    view.setInt32(CONTROL + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL + 12, SCM_RIGHTS, true);
    for (const [index, descriptor] of descriptors.entries()) {
      view.setInt32(CONTROL + CONTROL_HEADER + 4 * index, descriptor, true);
    }
    const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    return Math.max(sendmsg(this.#fd, this.#arena.address, flags) as number, 0);
  }

  /** What has come, to be used before the next call; empty when there is nothing. */
  receive(): Uint8Array {
    if (this.isGone || this.#isClosed) return new Uint8Array(0);
    const target = this.#arena.addressOf(DATA);
    const count = this.#libc.recv(this.#fd, target, CHUNK_MAX, MSG_DONTWAIT);
    const EAGAIN = 11;
    if (count === 0 || (count < 0 && this.#libc.errno() !== EAGAIN)) this.isGone = true;
    return this.#bytes.subarray(0, Math.max(count, 0));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#libc.close(this.#fd);
    this.#arena.giveBack();
  }
}

/** A file in memory, and its bytes as the client sees them. */
export function createMemory(libc: Libc, length: number): { fd: number; bytes: Uint8Array } {
  const fd = memfdCreate('guest-ram', MFD_CLOEXEC) as number;
  ftruncateSync(fd, length);
  const address = libc.mmap(0n, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return { fd, bytes: new Uint8Array(libc.view(address, length)) };
}

export function createEvent(libc: Libc): number {
  return libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}
