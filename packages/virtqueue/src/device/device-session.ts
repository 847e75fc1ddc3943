/** DeviceSession: the part of a virtio transport that is the same on every bus: status, features, queues, configuration. */
import { VirtioError } from '../error.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { MAX_QUEUE_SIZE } from '../ring/layout.ts';
import { SplitVirtqueue } from '../ring/split-virtqueue.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from './constants.ts';
import { FeatureWords } from './feature-words.ts';
import { QueueSettings } from './queue-settings.ts';
import type { AccessWidth, InterruptSink, VirtioDevice } from './virtio-device.ts';

export interface DeviceSessionOptions {
  readonly device: VirtioDevice;
  /** The transport's way to the driver. */
  readonly interrupts: InterruptSink;
  /** The device's view of memory; can be set later. */
  readonly memory?: GuestMemory;
  readonly logger?: Logger;
  /** Features that the transport itself implements, as a mask. */
  readonly transportFeatures?: bigint;
}

const SESSION_FEATURES =
  VIRTIO_F_VERSION_1 |
  VIRTIO_F_INDIRECT_DESC |
  VIRTIO_F_EVENT_IDX |
  // Each device here uses the buffers of a queue in the order in which it took them.
  VIRTIO_F_IN_ORDER |
  VIRTIO_F_RING_RESET;
const STATUS_BITS = 0xff;

export class DeviceSession {
  readonly device: VirtioDevice;
  readonly queueCount: number;
  /** Features of the device, the rings and the transport, as a mask. */
  readonly offeredFeatures: bigint;
  /** What the device calls: a change of its configuration is counted before the driver hears of it. */
  readonly #deviceInterrupts: InterruptSink;
  readonly #interrupts: InterruptSink;
  readonly #logger: Logger;
  readonly #queues: readonly QueueSettings[];
  readonly #virtqueues: (SplitVirtqueue | undefined)[];
  readonly #kicked: Uint8Array;
  readonly #offered: FeatureWords;
  readonly #accepted = new FeatureWords(0n);
  #memory: GuestMemory | undefined;
  #status = 0;
  #configGeneration = 0;
  #active = false;
  /** The device is at work. Where it reaches memory by messages, the driver's register writes arrive meanwhile. */
  #working = false;
  /** A reset came while the device was at work: its queues are gone, the rest waits, and so does the driver. */
  #resetPending = false;

  /** @throws VirtioError `QUEUE_SIZE` when a device has a queue size that is no power of two up to 32768 */
  constructor(options: DeviceSessionOptions) {
    const { device } = options;
    for (const maxSize of device.queueMaxSizes) {
      if (maxSize < 1 || maxSize > MAX_QUEUE_SIZE || (maxSize & (maxSize - 1)) !== 0) {
        throw new VirtioError(
          'QUEUE_SIZE',
          `a queue of ${maxSize}: choose a power of two up to 32768`,
        );
      }
    }
    this.device = device;
    this.queueCount = device.queueMaxSizes.length;
    this.offeredFeatures =
      device.deviceFeatures | SESSION_FEATURES | (options.transportFeatures ?? 0n);
    this.#offered = new FeatureWords(this.offeredFeatures);
    this.#interrupts = options.interrupts;
    this.#deviceInterrupts = {
      usedBuffer: (index) => options.interrupts.usedBuffer(index),
      configChange: () => this.configChanged(),
    };
    this.#logger = options.logger ?? silentLogger;
    this.#memory = options.memory;
    const owner = {
      enableQueue: (index: number) => this.#enableQueue(index),
      resetQueue: (index: number) => this.#resetQueue(index),
    };
    this.#queues = device.queueMaxSizes.map(
      (maxSize, index) => new QueueSettings(index, maxSize, owner),
    );
    this.#virtqueues = this.#queues.map(() => undefined);
    this.#kicked = new Uint8Array(this.queueCount);
  }

  /** The device is reset, and sees this memory from now on; undefined while it is plugged into nothing. */
  setMemory(memory: GuestMemory | undefined): void {
    this.reset();
    this.#memory = memory;
  }

  /** Bits 32 `select` to 32 `select` + 31 of what is offered. */
  readDeviceFeatures(select: number): number {
    return this.#offered.read(select);
  }

  readDriverFeatures(select: number): number {
    return this.#accepted.read(select);
  }

  /** "The driver MUST NOT … after FEATURES_OK": such a write is ignored. */
  writeDriverFeatures(select: number, value: number): void {
    if ((this.#status & VIRTIO_CONFIG_S_FEATURES_OK) === 0) this.#accepted.write(select, value);
  }

  get status(): number {
    return this.#status;
  }

  /**
   * "Device Status Field": 0 resets; bits are only ever added; FEATURES_OK and DRIVER_OK take effect once. The status reads
   * as 0 when the reset is done.
   */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    if (this.#resetPending) return;
    let added = value & STATUS_BITS & ~this.#status & ~VIRTIO_CONFIG_S_NEEDS_RESET;
    if ((added & VIRTIO_CONFIG_S_FEATURES_OK) !== 0 && !this.#agrees())
      added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
    this.#status |= added;
    if ((added & VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    if ((this.#status & VIRTIO_CONFIG_S_FEATURES_OK) === 0)
      this.needsReset('DRIVER_OK without FEATURES_OK');
    else this.#activate();
  }

  /** Counts changes of the configuration; transports show as many of its bits as they have. */
  get configGeneration(): number {
    return this.#configGeneration;
  }

  /** 0 beyond the device's configuration. */
  readConfig(offset: number, width: AccessWidth): number {
    return offset + width <= this.device.configSize ? this.device.readConfig(offset, width) : 0;
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    if (offset + width <= this.device.configSize) this.device.writeConfig(offset, width, value);
  }

  queue(index: number): QueueSettings | undefined {
    return this.#queues[index];
  }

  /** Notes a kick; ignored before DRIVER_OK ("The device MUST NOT consume buffers … before DRIVER_OK"). */
  notify(index: number): void {
    if (this.#active && index < this.queueCount) this.#kicked[index] = 1;
  }

  /**
   * Has the device work through the queues that were kicked, each once.
   *
   * @returns true when one of them has buffers left
   */
  service(): boolean {
    this.#working = true;
    const left = this.#workThroughQueues();
    this.#working = false;
    if (!this.#resetPending) return left;
    this.reset();
    return false;
  }

  #workThroughQueues(): boolean {
    let left = false;
    for (let index = 0; index < this.queueCount; index += 1) {
      if (this.#kicked[index] === 0) continue;
      this.#kicked[index] = 0;
      if (this.#virtqueues[index] === undefined || this.#virtqueues[index]!.broken) continue;
      if (this.#notifyDevice(index)) {
        this.#kicked[index] = 1;
        left = true;
      }
    }
    return left;
  }

  /** The device cannot go on until the driver resets it. */
  needsReset(reason: string): void {
    if ((this.#status & VIRTIO_CONFIG_S_NEEDS_RESET) !== 0) return;
    this.#status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    this.#kicked.fill(0);
    this.#logger.warn(`virtio device ${this.device.deviceId} needs a reset: ${reason}`);
    // "If DRIVER_OK is set, after it sets DEVICE_NEEDS_RESET, the device MUST send a device configuration change notification"
    if ((this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) this.configChanged();
  }

  /** Tells the driver of a change of the configuration. */
  configChanged(): void {
    this.#configGeneration += 1;
    this.#interrupts.configChange();
  }

  /** Back to the state after power-on; at the end of {@link service} when the device is at work. */
  reset(): void {
    this.#kicked.fill(0);
    for (const virtqueue of this.#virtqueues) virtqueue?.retire();
    this.#resetPending = this.#working;
    if (this.#working) return;
    this.#status = 0;
    this.#active = false;
    this.#accepted.clear();
    this.#virtqueues.fill(undefined);
    for (const queue of this.#queues) queue.clear();
    this.device.reset();
  }

  #agrees(): boolean {
    const features = this.#accepted.mask;
    // "The device SHOULD NOT set FEATURES_OK" for features that it did not offer, or for a legacy driver.
    if ((features & ~this.offeredFeatures) !== 0n || (features & VIRTIO_F_VERSION_1) === 0n)
      return false;
    return this.device.acceptFeatures?.(features) ?? true;
  }

  #activate(): void {
    if (this.#memory === undefined) return;
    this.#active = true;
    for (const queue of this.#queues) if (queue.enabled) this.#createQueue(queue);
    try {
      this.device.activate({
        memory: this.#memory,
        queues: this.#virtqueues,
        driverFeatures: this.#accepted.mask,
        interrupts: this.#deviceInterrupts,
      });
    } catch (error) {
      this.#failed('activate', error);
    }
  }

  #notifyDevice(index: number): boolean {
    try {
      return this.device.notifyQueue(index);
    } catch (error) {
      this.#failed('notifyQueue', error);
      return false;
    }
  }

  /** A device model that throws is a bug of ours; the guest gets a device that needs a reset, other devices go on. */
  #failed(method: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#logger.error(`virtio device ${this.device.deviceId}: ${method} threw: ${message}`);
    this.needsReset(`an internal error in ${method}`);
  }

  #enableQueue(index: number): void {
    const queue = this.#queues[index]!;
    queue.enabled = true;
    if (this.#active) this.#createQueue(queue);
  }

  #resetQueue(index: number): void {
    if ((this.#accepted.mask & VIRTIO_F_RING_RESET) === 0n) return;
    this.#kicked[index] = 0;
    this.#virtqueues[index]?.retire();
    this.#virtqueues[index] = undefined;
    this.#queues[index]!.clear();
    if (this.#active) this.device.queueReset?.(index);
  }

  #createQueue(queue: QueueSettings): void {
    const { index, size } = queue;
    if (size > queue.maxSize) {
      this.needsReset(`queue ${index} has ${size} descriptors, more than ${queue.maxSize}`);
      return;
    }
    const features = this.#accepted.mask;
    const virtqueue = new SplitVirtqueue({
      index,
      size,
      memory: this.#memory!,
      descriptorTable: queue.address('descriptorTable'),
      availRing: queue.address('availRing'),
      usedRing: queue.address('usedRing'),
      indirect: (features & VIRTIO_F_INDIRECT_DESC) !== 0n,
      eventIdx: (features & VIRTIO_F_EVENT_IDX) !== 0n,
      onBroken: (reason) => this.needsReset(reason),
    });
    if (!virtqueue.broken) this.#virtqueues[index] = virtqueue;
  }
}
