/** Addresses of UNIX sockets, as `bind` and `connect` take them. */
import { AF_UNIX } from './constants.ts';

/** The longest path in bytes: `sun_path` has 108, of which one ends the path. */
export const MAX_SOCKET_PATH = 107;
const SUN_PATH = 2;

/**
 * `struct sockaddr_un`.
 *
 * @returns undefined when the path is empty or longer than {@link MAX_SOCKET_PATH}
 */
export function unixSocketAddress(path: string): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length === 0 || bytes.length > MAX_SOCKET_PATH) {
    return undefined;
  }
  const address = new Uint8Array(SUN_PATH + bytes.length + 1);
  address[0] = AF_UNIX;
  address.set(bytes, SUN_PATH);
  return address;
}
