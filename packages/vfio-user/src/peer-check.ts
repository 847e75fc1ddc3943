/** Whose clients are served. */
import { type Libc, peerUid } from '@viommu/linux-io';

/**
 * Asks the kernel whose process connected.
 *
 * @param fd of the connection
 * @param allowUid a user that is welcome besides our own and root
 * @returns why the client is to be turned away; undefined when it is welcome
 */
export function objectionToPeer(libc: Libc, fd: number, allowUid?: number): string | undefined {
  const uid = peerUid(libc, fd);
  // The mode of the socket says so too, as long as nobody changes it.
  return uid === undefined || ![0, process.geteuid!(), allowUid].includes(uid)
    ? `a client of user ${uid ?? 'unknown'} was turned away: it is neither ours nor root`
    : undefined;
}
