/** Stopping a server from another thread, which cannot reach its objects. */
import { writeSync } from 'node:fs';

/** What an eventfd takes: a 64-bit 1. */
const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * Makes the `run` of a server return. Callable from every thread of the process, and more than once.
 *
 * @param stopHandle the server's, which must not be closed yet
 */
export function requestStop(stopHandle: number): void {
  writeSync(stopHandle, ONE);
}
