/** A vfio-user client for tests, in the server's own thread: it sends, the server polls, it receives. */
import { closeSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { Arena, requireLibc, unixSocketAddress } from '@viommu/linux-io';
import koffi from 'koffi';

const libc = requireLibc();
const library = koffi.load(null);
const memfdCreate = library.func('int memfd_create(const char*, unsigned int)');
const sendmsg = library.func('int64_t sendmsg(int, void*, int)');

const DONTWAIT = 0x40;
const NOSIGNAL = 0x4000;
const ROOM = 2 * 1024 * 1024;
const DATA = 4096;

/** Little-endian fields one after another: `[width, value]`. */
export function fields(...parts: [1 | 2 | 4 | 8, number | bigint][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(parts.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, value] of parts) {
    for (let byte = 0; byte < width; byte++) {
      view.setUint8(at + byte, Number((BigInt(value) >> BigInt(8 * byte)) & 0xffn));
    }
    at += width;
  }
  return new Uint8Array(view.buffer);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A message: header, written out, and its body. */
export function message(id: number, command: number, body: Uint8Array, flags = 0): Uint8Array {
  return concat(fields([2, id], [2, command], [4, 16 + body.length], [4, flags], [4, 0]), body);
}

const VERSION_JSON =
  '{"capabilities":{"pgsizes":4096,"max_msg_fds":16,"max_dma_maps":65535,"max_data_xfer_size":1048576,"migration":{"max_bitmap_size":268435456,"pgsize":4096},"write_multiple":true}}';

export function versionRequest(json = VERSION_JSON): Uint8Array {
  return message(1, 1, concat(fields([2, 0], [2, 0]), new TextEncoder().encode(`${json}\0`)));
}

export class TestClient {
  readonly fd: number;
  readonly #arena = Arena.take(libc, ROOM);
  #closed = false;

  constructor(path: string) {
    const address = unixSocketAddress(path)!;
    this.fd = libc.socket(1, 1 | 0x80000, 0);
    if (libc.connect(this.fd, address, address.length) !== 0) {
      throw new Error(`connect: errno ${libc.errno()}`);
    }
  }

  /** Sends bytes as they are, with descriptors. Answers how many were taken. */
  send(bytes: Uint8Array, fds: readonly number[] = []): number {
    const { view } = this.#arena;
    new Uint8Array(view.buffer, DATA).set(bytes);
    view.setBigUint64(16, this.#arena.addressOf(64), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, fds.length === 0 ? 0n : this.#arena.addressOf(128), true);
    view.setBigUint64(40, fds.length === 0 ? 0n : BigInt(16 + Math.ceil(fds.length / 2) * 8), true);
    view.setBigUint64(64, this.#arena.addressOf(DATA), true);
    view.setBigUint64(72, BigInt(bytes.length), true);
    view.setBigUint64(128, BigInt(16 + 4 * fds.length), true);
    view.setInt32(136, 1, true);
    view.setInt32(140, 1, true);
    fds.forEach((fd, index) => {
      view.setInt32(144 + 4 * index, fd, true);
    });
    return sendmsg(this.fd, this.#arena.address, NOSIGNAL | DONTWAIT) as number;
  }

  /** What has come, without waiting; undefined for nothing, an empty array when the server closed. */
  receive(limit = ROOM - DATA): Uint8Array | undefined {
    if (this.#closed) {
      return undefined;
    }
    const count = libc.recv(this.fd, this.#arena.addressOf(DATA), limit, DONTWAIT);
    return count < 0 ? undefined : new Uint8Array(this.#arena.buffer, DATA, count).slice();
  }

  /** Safe to call again. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    libc.close(this.fd);
    this.#arena.giveBack();
  }
}

/** A memfd of that many bytes, which the caller closes. */
export function memfd(size: number): number {
  const fd = memfdCreate('guest-ram', 0) as number;
  ftruncateSync(fd, size);
  return fd;
}

/** An eventfd, which the caller closes. */
export function eventfd(): number {
  return libc.eventfd(0, 0x800);
}

/** Signals an eventfd. */
export function signal(fd: number): void {
  writeSync(fd, new Uint8Array(new BigUint64Array([1n]).buffer));
}

/** How often an eventfd was signalled since it was read last. */
export function signals(fd: number): number {
  const value = new BigUint64Array(1);
  try {
    readSync(fd, value);
  } catch {
    return 0;
  }
  return Number(value[0]);
}

export { closeSync as closeFd };
