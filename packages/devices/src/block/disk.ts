/** The contract Disk: where a virtio-blk keeps its sectors. Types and docs only. */

/**
 * A disk, used synchronously by one device. Positions and lengths are in bytes, multiples of 512 and inside `size`: the
 * device has checked them. A method that throws fails the one request that needed it, with
 * VIRTIO_BLK_S_IOERR.
 */
export interface Disk {
  /** Size in bytes, a multiple of 512. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Fills `length` bytes of `target` from `targetOffset` on. */
  read(position: number, target: Uint8Array, targetOffset: number, length: number): void;
  /** Never called for a read-only disk. */
  write(position: number, source: Uint8Array, sourceOffset: number, length: number): void;
  /** Returns when everything written before is on stable storage; throws when any of it may be lost. */
  flush(): void;
}
