/** TransportSuiteDevice: the device behind the transport in transportSuite. */
import type { AccessWidth, DeviceContext, VirtioDevice } from '../device/virtio-device.ts';
import { createDescriptorChain } from '../ring/descriptor-chain.ts';
import { drainQueue } from '../ring/drain-queue.ts';
import { CHAIN_KEPT, type DescriptorChain, type Virtqueue } from '../ring/virtqueue.ts';

/** Of the device itself. */
export const FEATURES = (1n << 33n) | (1n << 19n) | 9n;

/** The readable length of a buffer that the device keeps. */
export const TO_KEEP = 999;

/** Two queues; each buffer's used length is what the driver offered to be read. */
export class TransportSuiteDevice implements VirtioDevice {
  readonly deviceId = 23;
  readonly queueMaxSizes = [16, 64];
  readonly deviceFeatures = FEATURES;
  readonly configSize = 12;
  readonly config = Uint8Array.from({ length: 12 }, (_, index) => 0x80 + index);
  context: DeviceContext | undefined;
  acceptable = true;
  /** What happens while a buffer is handled. */
  during: () => void = () => {};
  /** Buffers that were handled, and queues that were reset. */
  handled = 0;
  readonly resets: number[] = [];
  #kept: { queue: Virtqueue; head: number } | undefined;
  readonly #chain = createDescriptorChain(64);

  readConfig(offset: number, width: AccessWidth): number {
    return this.config
      .subarray(offset, offset + width)
      .reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    for (let index = 0; index < width; index += 1)
      this.config[offset + index] = value >>> (8 * index);
  }

  acceptFeatures(): boolean {
    return this.acceptable;
  }

  activate(context: DeviceContext): void {
    this.context = context;
  }

  notifyQueue(index: number): boolean {
    const queue = this.context?.queues[index];
    if (queue === undefined) return false;
    const handleChain = ({ head, readableLength }: DescriptorChain) => {
      this.handled += 1;
      this.during();
      if (readableLength !== TO_KEEP) return readableLength;
      this.#kept = { queue, head };
      return CHAIN_KEPT;
    };
    return drainQueue(queue, this.#chain, { handleChain }, this.context!.interrupts);
  }

  /** Even when the queue was reset meanwhile: a device that forgets to forget. */
  giveBack(): void {
    const { queue, head } = this.#kept!;
    queue.pushUsed(head, 1);
    if (queue.shouldInterrupt()) this.context?.interrupts.usedBuffer(queue.index);
  }

  queueReset(index: number): void {
    this.resets.push(index);
  }

  reset(): void {
    this.context = undefined;
  }
}
