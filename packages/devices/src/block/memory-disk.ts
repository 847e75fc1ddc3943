/** MemoryDisk: a disk of bytes in memory. */
import { VirtioError } from '@viommu/virtqueue';
import { SECTOR_SIZE } from './block-constants.ts';
import type { Disk } from './disk.ts';

export class MemoryDisk implements Disk {
  readonly bytes: Uint8Array;
  readonly readOnly: boolean;

  /** @throws VirtioError `DISK_SIZE` when the bytes are no positive multiple of 512 */
  constructor(bytes: Uint8Array, options: { readOnly?: boolean } = {}) {
    if (bytes.length === 0 || bytes.length % SECTOR_SIZE !== 0) {
      throw new VirtioError(
        'DISK_SIZE',
        `a disk of ${bytes.length} bytes: make it a multiple of 512`,
      );
    }
    this.bytes = bytes;
    this.readOnly = options.readOnly ?? false;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(position: number, target: Uint8Array, targetOffset: number, length: number): void {
    target.set(this.bytes.subarray(position, position + length), targetOffset);
  }

  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void {
    this.bytes.set(source.subarray(sourceOffset, sourceOffset + length), position);
  }

  flush(): void {}
}
