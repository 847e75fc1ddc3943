/** VirtioEntropyDevice: a virtio-rng ("Entropy Device"). */
import {
  type ChainHandler,
  createDescriptorChain,
  type DescriptorChain,
  drainQueue,
  writeChain,
} from '@viommu/virtqueue';
import {
  type DeviceContext,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_ID_ENTROPY,
  type VirtioDevice,
} from '@viommu/virtqueue/device';

export interface VirtioEntropyDeviceOptions {
  /** Fills all of `bytes` with random ones fit for cryptography. */
  readonly fillRandom: (bytes: Uint8Array) => void;
}

const QUEUE_SIZE = 64;
/** "The device MAY write less than the entire buffer"; the driver asks again. */
const LARGEST_ANSWER = 4096;

export class VirtioEntropyDevice implements VirtioDevice, ChainHandler {
  readonly deviceId = VIRTIO_ID_ENTROPY;
  readonly queueMaxSizes = [QUEUE_SIZE];
  readonly deviceFeatures = VIRTIO_F_ACCESS_PLATFORM;
  readonly configSize = 0;
  readonly #fillRandom: (bytes: Uint8Array) => void;
  readonly #random = new Uint8Array(LARGEST_ANSWER);
  readonly #chain = createDescriptorChain(QUEUE_SIZE);
  #context: DeviceContext | undefined;

  constructor(options: VirtioEntropyDeviceOptions) {
    this.#fillRandom = options.fillRandom;
  }

  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  notifyQueue(index: number): boolean {
    const queue = this.#context?.queues[index];
    return queue !== undefined && drainQueue(queue, this.#chain, this, this.#context!.interrupts);
  }

  handleChain(chain: DescriptorChain): number {
    const length = Math.min(chain.writableLength, LARGEST_ANSWER);
    this.#fillRandom(this.#random);
    const written = writeChain(this.#context!.memory, chain, 0, this.#random, 0, length);
    return Math.max(written, 0);
  }

  reset(): void {
    this.#context = undefined;
  }
}
