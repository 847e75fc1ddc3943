/** Disk images of known content for the guest to read and write, and their checksums. */
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const MEBIBYTE = 1 << 20;

/** Writes an image of random bytes. */
export function makeDiskImage(path: string, bytes: number): void {
  const chunk = new Uint8Array(MEBIBYTE);
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes; written += chunk.length) {
      randomFillSync(chunk);
      writeSync(file, chunk, 0, Math.min(chunk.length, bytes - written), written);
    }
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a part of a file, in hexadecimal. */
export function sha256OfRange(path: string, offset: number, length: number): string {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(MEBIBYTE);
  const file = openSync(path, 'r');
  try {
    for (let position = 0; position < length; ) {
      const wanted = Math.min(chunk.length, length - position);
      const got = readSync(file, chunk, 0, wanted, offset + position);
      if (got === 0) break;
      hash.update(chunk.subarray(0, got));
      position += got;
    }
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
