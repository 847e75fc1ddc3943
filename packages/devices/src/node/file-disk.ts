/** FileDisk: a disk on a file. */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { VirtioError } from '@viommu/virtqueue';
import { SECTOR_SIZE } from '../block/block-constants.ts';
import type { Disk } from '../block/disk.ts';

export interface FileDisk extends Disk {
  /** Flushes and closes the file, which is closed even if that throws; the disk must not be used any more. */
  close(): void;
}

/**
 * Opens a file of a multiple of 512 bytes as a disk.
 *
 * @throws VirtioError `DISK_OPEN` when it cannot be opened, `DISK_FILE` when it is no regular file, `DISK_SIZE`
 */
export function openFileDisk(
  path: string,
  options: { readonly readOnly?: boolean } = {},
): FileDisk {
  const readOnly = options.readOnly ?? false;
  let file: number;
  try {
    file = openSync(path, readOnly ? 'r' : 'r+');
  } catch (error) {
    throw new VirtioError('DISK_OPEN', `disk ${path} cannot be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const status = fstatSync(file);
  const problem = problemOf(path, status.isFile(), status.size);
  if (problem !== undefined) {
    closeSync(file);
    throw problem;
  }
  return new OpenFileDisk(path, file, status.size, readOnly);
}

function problemOf(path: string, isFile: boolean, size: number): VirtioError | undefined {
  if (!isFile) return new VirtioError('DISK_FILE', `disk ${path} is not a regular file`);
  if (size > 0 && size % SECTOR_SIZE === 0) return undefined;
  return new VirtioError(
    'DISK_SIZE',
    `disk ${path} has ${size} bytes; a disk is a positive multiple of 512`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class OpenFileDisk implements FileDisk {
  readonly size: number;
  readonly readOnly: boolean;
  readonly #path: string;
  readonly #file: number;
  #flushFailure: VirtioError | undefined;

  constructor(path: string, file: number, size: number, readOnly: boolean) {
    this.#path = path;
    this.#file = file;
    this.size = size;
    this.readOnly = readOnly;
  }

  read(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    for (let done = 0; done < length; ) {
      const count = readSync(
        this.#file,
        target,
        targetOffset + done,
        length - done,
        position + done,
      );
      if (count === 0) throw this.#truncated();
      done += count;
    }
  }

  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void {
    // A write beyond its end would make the file longer again, with zeros where the guest's data was.
    if (fstatSync(this.#file).size < position + length) throw this.#truncated();
    for (let done = 0; done < length; ) {
      done += writeSync(this.#file, source, sourceOffset + done, length - done, position + done);
    }
  }

  flush(): void {
    if (this.readOnly) return;
    // The kernel tells of a write that failed once, and may drop its page: a second fdatasync() would find nothing to do.
    if (this.#flushFailure !== undefined) throw this.#flushFailure;
    try {
      fdatasyncSync(this.#file);
    } catch (error) {
      this.#flushFailure = new VirtioError(
        'DISK_LOST_WRITES',
        `${this.#path} could not be flushed, and what was written may be lost (${messageOf(error)}); no flush succeeds until it is opened again`,
        { cause: error },
      );
      throw this.#flushFailure;
    }
  }

  #truncated(): VirtioError {
    return new VirtioError(
      'DISK_TRUNCATED',
      `${this.#path} has become shorter than the disk of ${this.size} bytes`,
    );
  }

  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}
