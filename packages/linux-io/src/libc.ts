/** The C library's functions that Node.js has no API for, called through koffi. */
import { createRequire } from 'node:module';
import { LinuxIoError } from './error.ts';

/** An address in this process. */
export type Pointer = bigint;

/** Each function is the one of the same name in POSIX or Linux; -1 is failure, and {@link Libc.errno} says which. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  getsockopt(
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: Uint32Array,
  ): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  poll(fds: Pointer, count: number, timeoutMilliseconds: number): number;
  recvmsg(fd: number, header: Pointer, flags: number): number;
  recv(fd: number, target: Pointer, length: number, flags: number): number;
  send(fd: number, source: Pointer, length: number, flags: number): number;
  read(fd: number, target: Pointer, length: number): number;
  write(fd: number, source: Pointer, length: number): number;
  ioctl(fd: number, request: number, argument: Pointer): number;
  close(fd: number): number;
  eventfd(initial: number, flags: number): number;
  umask(mask: number): number;
  /** Sets O_NONBLOCK on an open file. */
  setNonBlocking(fd: number): number;
  /** How a file was opened: O_RDWR and the like, by F_GETFL. */
  openFlags(fd: number): number;
  /** {@link MAP_FAILED} is failure. */
  mmap(
    address: Pointer,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Pointer;
  /** Shows `length` bytes of this process's memory; the memory must stay mapped while the result is reachable. */
  view(address: Pointer, length: number): ArrayBuffer;
  errno(): number;
}

export const MAP_FAILED: Pointer = 0xffff_ffff_ffff_ffffn;

type Koffi = typeof import('koffi');

let libc: Libc | undefined;

/** Why these calls cannot be made here, or undefined when they can: on Linux, x64 or arm64, with koffi's binary present. */
export function whyUnsupported(): string | undefined {
  if (process.platform !== 'linux') {
    return `it needs Linux; this is ${process.platform}`;
  }
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    return `it is supported on x64 and arm64; this is ${process.arch}`;
  }
  try {
    loadLibc();
    return undefined;
  } catch (error) {
    return `koffi, which calls the C library, cannot be loaded: ${String(error)}`;
  }
}

/**
 * @throws {LinuxIoError} UNSUPPORTED
 */
export function requireLibc(): Libc {
  const reason = whyUnsupported();
  if (reason !== undefined) {
    throw new LinuxIoError('UNSUPPORTED', `No system calls by FFI: ${reason}`);
  }
  return loadLibc();
}

function loadLibc(): Libc {
  if (libc === undefined) {
    // Loaded on first use, so that importing this package is harmless where it cannot work.
    libc = declareLibc(createRequire(import.meta.url)('koffi') as Koffi);
  }
  return libc;
}

function declareLibc(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const fcntl = library.func('int fcntl(int, int, ...)');
  const F_GETFL = 3;
  const openFlags = (fd: number) => fcntl(fd, F_GETFL, 'int', 0) as number;
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, void*, unsigned int)'),
    connect: library.func('int connect(int, void*, unsigned int)'),
    listen: library.func('int listen(int, int)'),
    getsockopt: library.func('int getsockopt(int, int, int, void*, void*)'),
    accept4: library.func('int accept4(int, void*, void*, int)'),
    poll: library.func('int poll(void*, unsigned long, int)'),
    recvmsg: library.func('int64_t recvmsg(int, void*, int)'),
    recv: library.func('int64_t recv(int, void*, size_t, int)'),
    send: library.func('int64_t send(int, void*, size_t, int)'),
    read: library.func('int64_t read(int, void*, size_t)'),
    write: library.func('int64_t write(int, void*, size_t)'),
    ioctl: library.func('int ioctl(int, unsigned long, void*)'),
    close: library.func('int close(int)'),
    eventfd: library.func('int eventfd(unsigned int, int)'),
    umask: library.func('unsigned int umask(unsigned int)'),
    setNonBlocking(fd) {
      const F_SETFL = 4;
      const O_NONBLOCK = 0x800;
      const flags = openFlags(fd);
      return flags < 0 ? -1 : (fcntl(fd, F_SETFL, 'int', flags | O_NONBLOCK) as number);
    },
    openFlags,
    mmap: library.func('void* mmap(void*, size_t, int, int, int, int64_t)'),
    view: koffi.view,
    errno: () => koffi.errno(),
  };
}
