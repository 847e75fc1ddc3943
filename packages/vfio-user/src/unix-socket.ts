/** Creates listening UNIX sockets that only their owner can connect to, where nobody else can replace them. */
import { lchownSync, lstatSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  AF_UNIX,
  EACCES,
  EADDRINUSE,
  ECONNREFUSED,
  ENOENT,
  EPERM,
  type Libc,
  MAX_SOCKET_PATH,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  unixSocketAddress,
} from '@viommu/linux-io';
import { VfioUserError } from './error.ts';

const BACKLOG = 8;
/** Leaves 0600. */
const PRIVATE_UMASK = 0o177;
/** For the group, which need not be the owner's alone, and for everybody. */
const WRITABLE_FOR_OTHERS = 0o022;
/** In such a directory only a file's owner can rename or remove it. */
const STICKY = 0o1000;
const SOCKET_TYPE = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

export interface ListeningSocket {
  readonly path: string;
  readonly fd: number;
  /** Which file the socket is, to remove no other at the end. */
  readonly inode: bigint;
}

/**
 * @param owner whose the socket shall be; this process's user when not given
 * @throws {VfioUserError} PATH_TOO_LONG, NO_DIRECTORY, UNSAFE_DIRECTORY, NOT_A_SOCKET, ADDRESS_IN_USE, PERMISSION, SYSTEM
 */
export function listenOn(libc: Libc, path: string, owner?: number): ListeningSocket {
  const address = socketAddress(path);
  checkDirectory(path, owner);
  removeStale(libc, path, address);
  const fd = libc.socket(AF_UNIX, SOCKET_TYPE, 0);
  if (fd < 0) {
    throw systemError(libc, path, 'No socket could be made');
  }
  // The mode is right from the start: a chmod() afterwards would leave a moment for others.
  const umask = libc.umask(PRIVATE_UMASK);
  const bound = libc.bind(fd, address, address.length);
  const bindErrno = libc.errno();
  libc.umask(umask);
  if (bound < 0) {
    libc.close(fd);
    throw bindError(path, bindErrno);
  }
  const { ino } = lstatSync(path, { bigint: true });
  const socket = { path, fd, inode: ino };
  try {
    if (owner !== undefined && owner !== process.geteuid!()) giveTo(owner, path);
    if (libc.listen(fd, BACKLOG) < 0) throw systemError(libc, path, 'The socket cannot listen');
  } catch (error) {
    closeListening(libc, socket);
    throw error;
  }
  return socket;
}

function giveTo(owner: number, path: string): void {
  try {
    lchownSync(path, owner, process.getegid!());
  } catch (cause) {
    throw new VfioUserError(
      'PERMISSION',
      `${path} cannot be given to user ${owner}: run the server as root, or as that user`,
      { cause },
    );
  }
}

/** Whoever can rename files in the directory could listen in our place: that is its owner, and who may write to it. */
function checkDirectory(path: string, owner: number | undefined): void {
  const directory = dirname(path);
  let status: Stats | undefined;
  try {
    status = statSync(directory);
  } catch {
    // What is wrong with it, is said when the socket itself is looked for.
  }
  if (status?.isDirectory() !== true) return;
  if (![0, process.geteuid!(), owner].includes(status.uid)) {
    throw new VfioUserError(
      'UNSAFE_DIRECTORY',
      `The directory of ${path} belongs to user ${status.uid}, who could replace the socket: choose one of your own`,
    );
  }
  if ((status.mode & WRITABLE_FOR_OTHERS) !== 0 && (status.mode & STICKY) === 0) {
    throw new VfioUserError(
      'UNSAFE_DIRECTORY',
      `Others can write to the directory of ${path} and replace the socket: run chmod go-w ${directory}, or choose another`,
    );
  }
}

/** Closes the socket, and removes its file unless another has taken the path. */
export function closeListening(libc: Libc, { path, fd, inode }: ListeningSocket): void {
  libc.close(fd);
  if (lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode) {
    unlinkSync(path);
  }
}

function socketAddress(path: string): Uint8Array {
  const address = unixSocketAddress(path);
  if (address === undefined) {
    throw new VfioUserError(
      'PATH_TOO_LONG',
      `The socket path ${path} has ${Buffer.byteLength(path)} bytes; the system allows 1 to ${MAX_SOCKET_PATH}: choose a shorter directory`,
    );
  }
  return address;
}

/** A socket that a server left behind refuses connections; any other file, or a server that lives, is not ours to remove. */
function removeStale(libc: Libc, path: string, address: Uint8Array): void {
  let isSocket: boolean;
  try {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) {
      return;
    }
    isSocket = status.isSocket();
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'ENOTDIR'
      ? noDirectory(path)
      : new VfioUserError('PERMISSION', `${path} cannot be looked at: ${String(cause)}`, { cause });
  }
  if (!isSocket) {
    throw new VfioUserError(
      'NOT_A_SOCKET',
      `${path} exists and is not a socket: choose another path, or remove it yourself`,
    );
  }
  const fd = libc.socket(AF_UNIX, SOCKET_TYPE, 0);
  const connected = libc.connect(fd, address, address.length);
  const errno = libc.errno();
  libc.close(fd);
  if (connected === 0 || errno !== ECONNREFUSED) {
    throw inUse(path);
  }
  unlinkSync(path);
}

function bindError(path: string, errno: number): VfioUserError {
  switch (errno) {
    case ENOENT:
      return noDirectory(path);
    case EACCES:
    case EPERM:
      return new VfioUserError('PERMISSION', `The directory of ${path} is not writable for you`);
    case EADDRINUSE:
      return inUse(path);
    default:
      return new VfioUserError('SYSTEM', `${path} cannot be bound: errno ${errno}`);
  }
}

function noDirectory(path: string): VfioUserError {
  return new VfioUserError(
    'NO_DIRECTORY',
    `The directory of ${path} does not exist: create it first`,
  );
}

function inUse(path: string): VfioUserError {
  return new VfioUserError(
    'ADDRESS_IN_USE',
    `Another server listens on ${path}: stop it, or choose another path`,
  );
}

function systemError(libc: Libc, path: string, what: string): VfioUserError {
  return new VfioUserError('SYSTEM', `${what} for ${path}: errno ${libc.errno()}`);
}
