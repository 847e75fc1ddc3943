/** ChunkedGzip: compresses chunk by chunk in the thread that has them, into one gzip stream. */

import { constants, deflateRawSync } from 'node:zlib';
import { crc32 } from '@viommu/trace';

/** Of RFC 1952: deflate, no flags, no time, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** Of RFC 1951: a last block with fixed codes and nothing in it. */
const LAST_BLOCK = Uint8Array.of(3, 0);
const WINDOW = 32768;

/**
 * A thread that blocks in poll() never comes to run the callbacks that a stream of Node.js needs. So each chunk is compressed
 * at once, up to a byte boundary, with the bytes before it as the dictionary: the results in a row are one deflate stream.
 */
export class ChunkedGzip {
  readonly #write: (bytes: Uint8Array) => void;
  #window = new Uint8Array(0);
  #checksum = 0;
  #length = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
    write(HEADER);
  }

  push(chunk: Uint8Array): void {
    this.#write(
      deflateRawSync(chunk, {
        finishFlush: constants.Z_SYNC_FLUSH,
        ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
      }),
    );
    this.#checksum = crc32(chunk, 0, chunk.length, this.#checksum);
    this.#length += chunk.length;
    this.#window = lastBytes(this.#window, chunk);
  }

  end(): void {
    const trailer = new DataView(new ArrayBuffer(8));
    trailer.setUint32(0, this.#checksum, true);
    trailer.setUint32(4, this.#length % 2 ** 32, true);
    this.#write(LAST_BLOCK);
    this.#write(new Uint8Array(trailer.buffer));
  }
}

function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  if (chunk.length >= WINDOW) return chunk.slice(chunk.length - WINDOW);
  const kept = before.subarray(Math.max(before.length + chunk.length - WINDOW, 0));
  const joined = new Uint8Array(kept.length + chunk.length);
  joined.set(kept);
  joined.set(chunk, kept.length);
  return joined;
}
