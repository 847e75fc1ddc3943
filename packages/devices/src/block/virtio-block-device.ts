/** VirtioBlockDevice: a virtio-blk on any disk ("Block Device"). */
import {
  type ChainHandler,
  createDescriptorChain,
  type DescriptorChain,
  type DrainOptions,
  drainQueue,
  type Logger,
  QueuePoll,
  silentLogger,
  VirtioError,
  writeLe64,
} from '@viommu/virtqueue';
import {
  type AccessWidth,
  type DeviceContext,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_ID_BLOCK,
  type VirtioDevice,
} from '@viommu/virtqueue/device';
import { readConfigBytes } from '../config-bytes.ts';
import {
  BLK_CONFIG_BLK_SIZE,
  BLK_CONFIG_CAPACITY,
  BLK_CONFIG_SEG_MAX,
  BLK_CONFIG_SIZE,
  SECTOR_SIZE,
  VIRTIO_BLK_F_BLK_SIZE,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_F_RO,
  VIRTIO_BLK_F_SEG_MAX,
} from './block-constants.ts';
import { BlockRequests } from './block-request.ts';
import type { Disk } from './disk.ts';

export interface VirtioBlockDeviceOptions {
  readonly disk: Disk;
  /** What GET_ID answers, at most 20 ASCII characters. */
  readonly id?: string;
  /** Descriptors of the queue, a power of two; 256 by default. */
  readonly queueSize?: number;
  /** How long the queue is polled at most when it has run empty; 0 by default, which is right for a driver in the same thread. */
  readonly pollMicroseconds?: number;
  readonly logger?: Logger;
}

const DEFAULT_QUEUE_SIZE = 256;
/** Header and status take a descriptor each; the rest of a chain is data. */
const DESCRIPTORS_BESIDE_DATA = 2;
/** Requests per turn: with 1 MiB each still a short time for other devices to wait. */
const BUDGET = 32;

export class VirtioBlockDevice implements VirtioDevice, ChainHandler {
  readonly deviceId = VIRTIO_ID_BLOCK;
  readonly queueMaxSizes: readonly number[];
  readonly deviceFeatures: bigint;
  readonly configSize = BLK_CONFIG_SIZE;
  readonly #config = new DataView(new ArrayBuffer(BLK_CONFIG_SIZE));
  readonly #chain: DescriptorChain;
  readonly #requests: BlockRequests;
  readonly #drainOptions: DrainOptions;
  #context: DeviceContext | undefined;

  /** @throws VirtioError `QUEUE_SIZE` when the queue has no room for one segment of data, `POLL_MICROSECONDS` */
  constructor(options: VirtioBlockDeviceOptions) {
    const { disk, queueSize = DEFAULT_QUEUE_SIZE } = options;
    if (queueSize <= DESCRIPTORS_BESIDE_DATA) {
      throw new VirtioError(
        'QUEUE_SIZE',
        `a queue of ${queueSize} for virtio-blk: choose 4 or more`,
      );
    }
    this.queueMaxSizes = [queueSize];
    this.deviceFeatures =
      VIRTIO_F_ACCESS_PLATFORM |
      VIRTIO_BLK_F_SEG_MAX |
      VIRTIO_BLK_F_BLK_SIZE |
      VIRTIO_BLK_F_FLUSH |
      (disk.readOnly ? VIRTIO_BLK_F_RO : 0n);
    writeLe64(this.#config, BLK_CONFIG_CAPACITY, Math.floor(disk.size / SECTOR_SIZE));
    this.#config.setUint32(BLK_CONFIG_SEG_MAX, queueSize - DESCRIPTORS_BESIDE_DATA, true);
    this.#config.setUint32(BLK_CONFIG_BLK_SIZE, SECTOR_SIZE, true);
    this.#chain = createDescriptorChain(queueSize);
    this.#drainOptions = { budget: BUDGET, poll: new QueuePoll(options.pollMicroseconds ?? 0) };
    this.#requests = new BlockRequests(
      disk,
      options.id ?? 'viommu',
      options.logger ?? silentLogger,
    );
  }

  readConfig(offset: number, width: AccessWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  /** Nothing in the configuration can be written without VIRTIO_BLK_F_CONFIG_WCE. */
  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
    this.#requests.writeThrough = (context.driverFeatures & VIRTIO_BLK_F_FLUSH) === 0n;
  }

  notifyQueue(index: number): boolean {
    const queue = this.#context?.queues[index];
    if (queue === undefined) return false;
    return drainQueue(queue, this.#chain, this, this.#context!.interrupts, this.#drainOptions);
  }

  handleChain(chain: DescriptorChain): number {
    return this.#requests.handle(this.#context!.memory, chain);
  }

  reset(): void {
    this.#context = undefined;
    this.#requests.settle();
  }
}
