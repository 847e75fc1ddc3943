/** BlockRequests: carries out one request of a virtio-blk ("Block Device", "Device Operation"). */
import {
  type DescriptorChain,
  type GuestMemory,
  LimitedLog,
  type Logger,
  readChain,
  readLe64,
  writeChain,
} from '@viommu/virtqueue';
import {
  BLK_REQ_HEADER_SIZE,
  BLK_REQ_SECTOR,
  BLK_REQ_TYPE,
  SECTOR_SIZE,
  VIRTIO_BLK_ID_BYTES,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
} from './block-constants.ts';
import type { Disk } from './disk.ts';

/** More than any driver asks for in one request; what is larger would keep other devices waiting. */
const LARGEST_TRANSFER = 16 << 20;
/** Data passes through here, so that one read of the disk serves many scattered pages of the guest. */
const BOUNCE_SIZE = 1 << 20;

export class BlockRequests {
  /** Set when the driver did not accept VIRTIO_BLK_F_FLUSH: it relies on a write being stable when it is used. */
  writeThrough = false;
  readonly #disk: Disk;
  readonly #failures: LimitedLog;
  readonly #id = new Uint8Array(VIRTIO_BLK_ID_BYTES);
  readonly #header = new Uint8Array(BLK_REQ_HEADER_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);
  /** Made for the first request: most of a device's memory. */
  #bounce = new Uint8Array(0);
  readonly #status = new Uint8Array(1);
  /** Bytes of data that are in the writable part, from its start. */
  #written = 0;

  constructor(disk: Disk, id: string, logger: Logger) {
    this.#disk = disk;
    this.#failures = new LimitedLog((message) => logger.error(message));
    for (let index = 0; index < Math.min(id.length, VIRTIO_BLK_ID_BYTES); index += 1) {
      this.#id[index] = id.charCodeAt(index);
    }
  }

  /** @returns the length for the used element */
  handle(memory: GuestMemory, chain: DescriptorChain): number {
    const { writableLength } = chain;
    // Without room for the status there is no way to answer.
    if (writableLength === 0) return 0;
    this.#written = 0;
    if (this.#bounce.length === 0) this.#bounce = new Uint8Array(BOUNCE_SIZE);
    this.#status[0] = this.#serve(memory, chain);
    // "The device MUST write the status byte"; it is the last byte, however the buffers are split.
    const statusAt = writableLength - 1;
    if (writeChain(memory, chain, statusAt, this.#status, 0, 1) !== 1) return 0;
    // "The device MUST write at least len bytes to descriptor, beginning at the first device-writable buffer": where data is
    // missing, the status behind it does not count.
    return this.#written === statusAt ? writableLength : this.#written;
  }

  /** The driver is gone: what the log has not told of its failed requests, it tells now. */
  settle(): void {
    this.#failures.settle();
  }

  #serve(memory: GuestMemory, chain: DescriptorChain): number {
    const got = readChain(memory, chain, 0, this.#header, 0, BLK_REQ_HEADER_SIZE);
    if (got !== BLK_REQ_HEADER_SIZE) return VIRTIO_BLK_S_IOERR;
    const position = readLe64(this.#headerView, BLK_REQ_SECTOR) * SECTOR_SIZE;
    try {
      switch (this.#headerView.getUint32(BLK_REQ_TYPE, true)) {
        case VIRTIO_BLK_T_IN:
          return this.#read(memory, chain, position);
        case VIRTIO_BLK_T_OUT:
          return this.#write(memory, chain, position);
        case VIRTIO_BLK_T_FLUSH:
          this.#disk.flush();
          return VIRTIO_BLK_S_OK;
        case VIRTIO_BLK_T_GET_ID:
          return this.#getId(memory, chain);
        default:
          return VIRTIO_BLK_S_UNSUPP;
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#failures.report(`the disk fails, its guest gets I/O errors: ${message}`);
      return VIRTIO_BLK_S_IOERR;
    }
  }

  #read(memory: GuestMemory, chain: DescriptorChain, position: number): number {
    const length = chain.writableLength - 1;
    if (!this.#isTransfer(position, length)) return VIRTIO_BLK_S_IOERR;
    for (let done = 0; done < length; ) {
      const run = Math.min(BOUNCE_SIZE, length - done);
      this.#disk.read(position + done, this.#bounce, 0, run);
      if (writeChain(memory, chain, done, this.#bounce, 0, run) !== run) return VIRTIO_BLK_S_IOERR;
      done += run;
      this.#written = done;
    }
    return VIRTIO_BLK_S_OK;
  }

  #write(memory: GuestMemory, chain: DescriptorChain, position: number): number {
    const length = chain.readableLength - BLK_REQ_HEADER_SIZE;
    // "the device MUST write the VIRTIO_BLK_S_IOERR status and not write any data" to a read-only disk
    if (this.#disk.readOnly || !this.#isTransfer(position, length)) return VIRTIO_BLK_S_IOERR;
    for (let done = 0; done < length; ) {
      const run = Math.min(BOUNCE_SIZE, length - done);
      const got = readChain(memory, chain, BLK_REQ_HEADER_SIZE + done, this.#bounce, 0, run);
      if (got !== run) return VIRTIO_BLK_S_IOERR;
      this.#disk.write(position + done, this.#bounce, 0, run);
      done += run;
    }
    if (this.writeThrough) this.#disk.flush();
    return VIRTIO_BLK_S_OK;
  }

  #getId(memory: GuestMemory, chain: DescriptorChain): number {
    if (chain.writableLength - 1 < VIRTIO_BLK_ID_BYTES) return VIRTIO_BLK_S_IOERR;
    const written = writeChain(memory, chain, 0, this.#id, 0, VIRTIO_BLK_ID_BYTES);
    if (written !== VIRTIO_BLK_ID_BYTES) return VIRTIO_BLK_S_IOERR;
    this.#written = written;
    return VIRTIO_BLK_S_OK;
  }

  #isTransfer(position: number, length: number): boolean {
    const isWhole = length > 0 && length <= LARGEST_TRANSFER && length % SECTOR_SIZE === 0;
    return isWhole && position <= this.#disk.size - length;
  }
}
