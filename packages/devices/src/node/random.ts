/** Random bytes from Node.js for {@link VirtioEntropyDevice}. */
import { randomFillSync } from 'node:crypto';

export function fillRandom(bytes: Uint8Array): void {
  randomFillSync(bytes);
}
