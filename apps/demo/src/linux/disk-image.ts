/** Disk images of known content for the guest to read and write, and their checksums. */
import { createHash, randomInt } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { type DiskContent, fillPattern } from '@viommu/trace';

const MEBIBYTE = 1 << 20;

const SEED_LIMIT = 2 ** 32;

/** Writes an image that looks random, another one each time. @returns what is in it */
export function makeDiskImage(path: string, bytes: number): DiskContent {
  const seed = randomInt(SEED_LIMIT);
  const chunk = new Uint8Array(MEBIBYTE);
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes; written += chunk.length) {
      fillPattern(seed, written, chunk);
      writeSync(file, chunk, 0, Math.min(chunk.length, bytes - written), written);
    }
  } finally {
    closeSync(file);
  }
  return { kind: 'pattern', seed };
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
