/** BlockDriver: a driver for virtio-blk, one request at a time, through whatever IOMMU is in between. */
import { type GuestMemory, joinLe64, VirtioError, writeLe64 } from '@viommu/virtqueue';
import { VIRTIO_F_ACCESS_PLATFORM, VIRTIO_ID_BLOCK } from '@viommu/virtqueue/device';
import {
  createDriverQueue,
  DRIVER_QUEUE_FEATURES,
  type DriverQueue,
  type DriverTransport,
  driverQueueLength,
  initializeDevice,
  readStableConfig,
} from '@viommu/virtqueue/driver';
import {
  BLK_CONFIG_CAPACITY,
  BLK_REQ_HEADER_SIZE,
  BLK_REQ_SECTOR,
  BLK_REQ_TYPE,
  SECTOR_SIZE,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_F_RO,
  VIRTIO_BLK_ID_BYTES,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
} from '../block/block-constants.ts';
import type { DmaAllocator, DmaMemory } from './dma-allocator.ts';

export interface BlockDriverOptions {
  readonly transport: DriverTransport;
  /** Memory as the driver sees it. */
  readonly memory: GuestMemory;
  /** Where the ring, the headers and a buffer for the data are taken from. */
  readonly dma: DmaAllocator;
  /**
   * Called while an answer is awaited: lets the device work, or sleeps until its interrupt.
   *
   * @returns false to give up
   */
  readonly wait: () => boolean;
  /** Bytes of the data buffer: the most that one request moves; 65536 by default. */
  readonly bufferLength?: number;
  /** Features to ask for at most, as a mask; all that the driver knows by default. */
  readonly features?: bigint;
}

const FEATURES =
  DRIVER_QUEUE_FEATURES | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_FLUSH;
const QUEUE_SIZE = 16;
const DEFAULT_BUFFER_LENGTH = 65536;
/** No status of the standard: a device that writes nothing is not taken for one that said OK. */
const UNWRITTEN = 0xff;

export class BlockDriver {
  /** The features that were agreed on, as a mask. */
  readonly features: bigint;
  /** Size of the disk in sectors of 512 bytes. */
  readonly capacity: number;
  readonly readOnly: boolean;
  /** Whether the device keeps written data in a cache until {@link flush}. */
  readonly hasCache: boolean;
  readonly #options: BlockDriverOptions;
  readonly #bufferLength: number;
  readonly #queue: DriverQueue;
  /** The header, then the status byte. */
  readonly #control: DmaMemory;
  readonly #data: DmaMemory;
  readonly #header = new Uint8Array(BLK_REQ_HEADER_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #status = new Uint8Array(1);
  readonly #used = { token: 0, length: 0 };

  /**
   * Resets the device and brings it up.
   *
   * @throws VirtioError `NOT_A_DISK`, `NO_VERSION_1`, `FEATURES_REFUSED`, `NO_ACCESS_PLATFORM` when `dma` has addresses for the
   * device that are not the driver's and the device does not go through an IOMMU, and what `dma` throws
   */
  constructor(options: BlockDriverOptions) {
    const { transport, memory, dma } = options;
    if (transport.deviceId !== VIRTIO_ID_BLOCK) {
      throw new VirtioError(
        'NOT_A_DISK',
        `the device has type ${transport.deviceId}, a disk has ${VIRTIO_ID_BLOCK}`,
      );
    }
    this.#options = options;
    let features = 0n;
    const allocate = (length: number) => allocateFor(features, dma, length);
    this.#bufferLength = options.bufferLength ?? DEFAULT_BUFFER_LENGTH;
    const size = Math.min(QUEUE_SIZE, transport.queueMaxSize(0));
    let queue: DriverQueue | undefined;
    this.features = initializeDevice(transport, {
      features: FEATURES & (options.features ?? FEATURES),
      setUpQueues: (agreed) => {
        features = agreed;
        const { address, deviceAddress } = allocate(driverQueueLength(features, size));
        queue = createDriverQueue({ features, size, memory, address, deviceAddress });
        transport.enableQueue(0, queue.addresses);
      },
    });
    this.#queue = queue!;
    this.#control = allocate(BLK_REQ_HEADER_SIZE + 1);
    this.#data = allocate(this.#bufferLength);
    this.readOnly = (this.features & VIRTIO_BLK_F_RO) !== 0n;
    this.hasCache = (this.features & VIRTIO_BLK_F_FLUSH) !== 0n;
    this.capacity = readStableConfig(transport, () =>
      joinLe64(
        transport.readConfig(BLK_CONFIG_CAPACITY, 4),
        transport.readConfig(BLK_CONFIG_CAPACITY + 4, 4),
      ),
    );
  }

  /**
   * Fills `target` from a sector on.
   *
   * @param target a whole number of sectors
   * @throws VirtioError `SECTORS` for what is no whole number of sectors within the capacity, `S_IOERR`, `S_UNSUPP`, `NO_ANSWER`
   */
  read(sector: number, target: Uint8Array): void {
    this.#requireSectors(sector, target.length);
    const { address, deviceAddress } = this.#data;
    for (let done = 0; done < target.length; done += this.#bufferLength) {
      const length = Math.min(this.#bufferLength, target.length - done);
      const first = sector + done / SECTOR_SIZE;
      this.#require(this.transfer(VIRTIO_BLK_T_IN, first, deviceAddress, length), 'read');
      if (!this.#options.memory.read(address, target, done, length)) outside();
    }
  }

  /** Writes `source` from a sector on. Arguments and errors as for {@link read}. */
  write(sector: number, source: Uint8Array): void {
    this.#requireSectors(sector, source.length);
    const { address, deviceAddress } = this.#data;
    for (let done = 0; done < source.length; done += this.#bufferLength) {
      const length = Math.min(this.#bufferLength, source.length - done);
      const first = sector + done / SECTOR_SIZE;
      if (!this.#options.memory.write(address, source, done, length)) outside();
      this.#require(this.transfer(VIRTIO_BLK_T_OUT, first, deviceAddress, length), 'write');
    }
  }

  /** Returns when everything written before is on stable storage. */
  flush(): void {
    if (this.hasCache) this.#require(this.transfer(VIRTIO_BLK_T_FLUSH, 0, 0, 0), 'flush');
  }

  /** The name that the device gives itself, at most 20 characters. */
  getId(): string {
    const { address, deviceAddress } = this.#data;
    const id = new Uint8Array(VIRTIO_BLK_ID_BYTES);
    this.#require(
      this.transfer(VIRTIO_BLK_T_GET_ID, 0, deviceAddress, VIRTIO_BLK_ID_BYTES),
      'get ID',
    );
    if (!this.#options.memory.read(address, id, 0, id.length)) outside();
    return String.fromCharCode(...id).replace(/\0.*$/s, '');
  }

  /**
   * Sends one request as it is, to any address for the data: the device's view of it, not the driver's.
   *
   * @param type VIRTIO_BLK_T_*
   * @param length of the data in bytes, 0 for a request without
   * @returns VIRTIO_BLK_S_*; 255 when the device wrote no status, or says OK of data that it did not write
   * @throws VirtioError `NO_ANSWER` when waiting was given up
   */
  transfer(type: number, sector: number, dataAddress: number, length: number): number {
    const { memory, transport, wait } = this.#options;
    const { address, deviceAddress } = this.#control;
    this.#headerView.setUint32(BLK_REQ_TYPE, type, true);
    writeLe64(this.#headerView, BLK_REQ_SECTOR, sector);
    this.#status[0] = UNWRITTEN;
    if (!memory.write(address, this.#header, 0, BLK_REQ_HEADER_SIZE)) outside();
    if (!memory.write(address + BLK_REQ_HEADER_SIZE, this.#status, 0, 1)) outside();
    const header = { address: deviceAddress, length: BLK_REQ_HEADER_SIZE };
    const data = length === 0 ? [] : [{ address: dataAddress, length }];
    const status = { address: deviceAddress + BLK_REQ_HEADER_SIZE, length: 1 };
    const writableLength = type === VIRTIO_BLK_T_OUT ? 1 : length + 1;
    if (type === VIRTIO_BLK_T_OUT) this.#queue.add([header, ...data], [status], 0);
    else this.#queue.add([header], [...data, status], 0);
    this.#queue.enableInterrupts(true);
    if (this.#queue.shouldNotify()) transport.notifyQueue(0, this.#queue.next);
    while (!this.#queue.takeUsed(this.#used)) {
      if (!wait()) throw new VirtioError('NO_ANSWER', 'the disk does not answer');
    }
    if (!memory.read(address + BLK_REQ_HEADER_SIZE, this.#status, 0, 1)) outside();
    // "The driver MUST NOT make assumptions about data in device-writable buffers beyond the first len bytes".
    const isWhole = this.#used.length >= writableLength;
    return this.#status[0] === VIRTIO_BLK_S_OK && !isWhole ? UNWRITTEN : this.#status[0]!;
  }

  /** "A driver MUST NOT submit a request which would cause a read or write beyond capacity." */
  #requireSectors(sector: number, length: number): void {
    const isWhole = Number.isInteger(sector) && sector >= 0 && length % SECTOR_SIZE === 0;
    if (isWhole && sector + length / SECTOR_SIZE <= this.capacity) return;
    throw new VirtioError(
      'SECTORS',
      `${length} bytes at sector ${sector}: the disk has ${this.capacity} sectors of 512 bytes`,
    );
  }

  #require(status: number, what: string): void {
    if (status === VIRTIO_BLK_S_OK) return;
    const name = ['S_OK', 'S_IOERR', 'S_UNSUPP'][status] ?? `status ${status}`;
    throw new VirtioError(name, `the disk refused to ${what}: ${name}`);
  }
}

/** "If VIRTIO_F_ACCESS_PLATFORM is not offered, then a driver MUST pass only physical addresses to the device." */
function allocateFor(features: bigint, dma: DmaAllocator, length: number): DmaMemory {
  const lent = dma.allocate(length);
  if (lent.deviceAddress === lent.address || (features & VIRTIO_F_ACCESS_PLATFORM) !== 0n) {
    return lent;
  }
  throw new VirtioError(
    'NO_ACCESS_PLATFORM',
    'the device does not go through an IOMMU: let it have VIRTIO_F_ACCESS_PLATFORM, or memory at its own addresses',
  );
}

function outside(): never {
  throw new VirtioError('RING_MEMORY', 'the memory for requests is not where the driver put it');
}
