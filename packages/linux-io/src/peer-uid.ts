/** Who is at the other end of a UNIX socket. */
import { SO_PEERCRED, SOL_SOCKET } from './constants.ts';
import type { Libc } from './libc.ts';

// struct ucred: pid, uid, gid.
const UCRED_SIZE = 12;
const UCRED_UID = 4;

/**
 * The effective user ID that the peer had when it connected, as this process's user namespace shows it.
 *
 * @returns undefined when the socket has no such peer
 */
export function peerUid(libc: Libc, fd: number): number | undefined {
  const credentials = new Uint8Array(UCRED_SIZE);
  const length = Uint32Array.of(UCRED_SIZE);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) < 0) {
    return undefined;
  }
  return new DataView(credentials.buffer).getUint32(UCRED_UID, true);
}
