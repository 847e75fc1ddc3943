/** FileDisk: a disk on a file. */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { VirtioError } from '@viommu/virtqueue';
import { SECTOR_SIZE } from '../block/block-constants.ts';
import type { Disk } from '../block/disk.ts';

export interface FileDisk extends Disk {
  /** Flushes and closes the file; the disk must not be used any more. */
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
    const message = error instanceof Error ? error.message : String(error);
    throw new VirtioError('DISK_OPEN', `disk ${path} cannot be opened: ${message}`, {
      cause: error,
    });
  }
  const status = fstatSync(file);
  const problem = problemOf(path, status.isFile(), status.size);
  if (problem !== undefined) {
    closeSync(file);
    throw problem;
  }
  return new OpenFileDisk(file, status.size, readOnly);
}

function problemOf(path: string, isFile: boolean, size: number): VirtioError | undefined {
  if (!isFile) return new VirtioError('DISK_FILE', `disk ${path} is not a regular file`);
  if (size > 0 && size % SECTOR_SIZE === 0) return undefined;
  return new VirtioError(
    'DISK_SIZE',
    `disk ${path} has ${size} bytes; a disk is a positive multiple of 512`,
  );
}

class OpenFileDisk implements FileDisk {
  readonly size: number;
  readonly readOnly: boolean;
  readonly #file: number;

  constructor(file: number, size: number, readOnly: boolean) {
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
      if (count === 0)
        throw new VirtioError('DISK_TRUNCATED', 'the file has become shorter than the disk');
      done += count;
    }
  }

  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void {
    for (let done = 0; done < length; ) {
      done += writeSync(this.#file, source, sourceOffset + done, length - done, position + done);
    }
  }

  flush(): void {
    if (!this.readOnly) fdatasyncSync(this.#file);
  }

  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}
