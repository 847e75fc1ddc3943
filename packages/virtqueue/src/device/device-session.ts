/** DeviceSession: the part of a virtio transport that is the same on every bus: status, features, queues, configuration. */
import { type Logger, silentLogger } from '../logger.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Virtqueue } from '../ring/virtqueue.ts';
import type { SessionSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { snapshotRefused } from '../snapshot/snapshot-refused.ts';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_RING_RESET,
} from './constants.ts';
import { DeviceQueues, type DeviceQueuesOwner } from './device-queues.ts';
import { FeatureWords } from './feature-words.ts';
import { GuardedDevice } from './guarded-device.ts';
import { isAgreeable, offeredFeatures } from './offered-features.ts';
import type { QueueSource, QueueState } from './queue-observer.ts';
import type { QueueEnd, QueueSettings } from './queue-settings.ts';
import type { DeviceSessionOptions } from './session-options.ts';
import { prepareDevice, readSession, snapshotBusy } from './session-snapshot.ts';
import type { AccessWidth, InterruptSink, VirtioDevice } from './virtio-device.ts';

/** What a driver can set: not SUSPEND (16), as VIRTIO_F_SUSPEND is not offered, nor DEVICE_NEEDS_RESET. */
const DRIVER_STATUS_BITS = 0xff & ~16 & ~VIRTIO_CONFIG_S_NEEDS_RESET;

export class DeviceSession implements QueueSource {
  readonly device: VirtioDevice;
  readonly queueCount: number;
  /** Features of the device, the rings and the transport, as a mask. */
  readonly offeredFeatures: bigint;
  /** What the device calls: a change of its configuration is counted before the driver hears of it. */
  readonly #deviceInterrupts: InterruptSink;
  readonly #interrupts: InterruptSink;
  readonly #logger: Logger;
  readonly #guarded: GuardedDevice;
  readonly #queues: DeviceQueues;
  readonly #offered: FeatureWords;
  readonly #accepted = new FeatureWords(0n);
  #memory: GuestMemory | undefined;
  #status = 0;
  #configGeneration = 0;
  #active = false;
  /** The device is at work. Where it reaches memory by messages, the driver's register writes arrive meanwhile. */
  #working = false;
  /**
   * A reset came while the device was at work: the registers are reset, the device itself is when it has returned. What a
   * driver writes that does not wait for that (Linux' driver of virtio over MMIO does not) is kept, and holds from then on.
   */
  #resetPending = false;
  /** So did the end of single queues. */
  #queueEndPending = false;

  /** @throws VirtioError `QUEUE_SIZE` when a device has a queue size that is no power of two up to 32768 */
  constructor(options: DeviceSessionOptions) {
    const { device, queueObserver, queueGate } = options;
    this.device = device;
    this.queueCount = device.queueMaxSizes.length;
    this.offeredFeatures = offeredFeatures(options);
    this.#offered = new FeatureWords(this.offeredFeatures);
    this.#interrupts = options.interrupts;
    this.#deviceInterrupts = {
      usedBuffer: (index) => options.interrupts.usedBuffer(index),
      configChange: () => {
        if (!this.#resetPending) this.configChanged();
      },
    };
    this.#logger = options.logger ?? silentLogger;
    this.#memory = options.memory;
    this.#guarded = new GuardedDevice(device, this.#logger, (reason) =>
      this.#deviceNeedsReset(reason),
    );
    const owner: DeviceQueuesOwner = {
      endQueue: (index, end) => this.#endQueue(index, end),
      needsReset: (reason) => this.needsReset(reason),
      notifyDevice: (index) => this.#guarded.notifyQueue(index),
      keptBuffers: (index) => device.keptBuffers?.(index) ?? [],
    };
    this.#queues = new DeviceQueues(device.queueMaxSizes, owner, queueObserver, queueGate);
    queueObserver?.attached(this);
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

  /** DEVICE_NEEDS_RESET is set, too, until a reset is done: "by reinitializing device status to 0" a device says that it is. */
  get status(): number {
    return this.#resetPending ? this.#status | VIRTIO_CONFIG_S_NEEDS_RESET : this.#status;
  }

  /** "Device Status Field": 0 resets; bits are only ever added; FEATURES_OK and DRIVER_OK take effect once. */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    let added = value & DRIVER_STATUS_BITS & ~this.#status;
    if ((added & VIRTIO_CONFIG_S_FEATURES_OK) !== 0 && !this.#agrees())
      added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
    this.#status |= added;
    if ((added & VIRTIO_CONFIG_S_DRIVER_OK) === 0) return;
    if ((this.#status & VIRTIO_CONFIG_S_FEATURES_OK) === 0)
      this.needsReset('DRIVER_OK without FEATURES_OK');
    else if (!this.#resetPending) this.#start();
  }

  /** Counts changes of the configuration; transports show as many of its bits as they have. */
  get configGeneration(): number {
    return this.#configGeneration + (this.device.silentConfigChanges ?? 0);
  }

  /** 0 beyond the device's configuration. */
  readConfig(offset: number, width: AccessWidth): number {
    return offset + width <= this.device.configSize ? this.device.readConfig(offset, width) : 0;
  }

  writeConfig(offset: number, width: AccessWidth, value: number): void {
    if (offset + width <= this.device.configSize) this.device.writeConfig(offset, width, value);
  }

  queue(index: number): QueueSettings | undefined {
    return this.#queues.settings[index];
  }

  /** Notes a kick; ignored before DRIVER_OK. */
  notify(index: number): void {
    this.#queues.kickByDriver(index);
  }

  queueStates(): readonly QueueState[] {
    return this.#queues.states();
  }

  /**
   * Has the device work through the queues that were kicked, each once.
   *
   * @returns true when one of them has buffers left
   */
  service(): boolean {
    this.#working = true;
    const left = this.#queues.workThroughKicks();
    this.#working = false;
    if (this.#resetPending) return this.#finishReset();
    if (this.#queueEndPending) this.#finishQueueEnds();
    return left;
  }

  /**
   * The device cannot go on as it should until the driver resets it. Queues that are in order are worked through all the same: a
   * driver waits for what it has asked, and a queue that is polled gets no further kick.
   */
  needsReset(reason: string): void {
    if ((this.#status & VIRTIO_CONFIG_S_NEEDS_RESET) !== 0) return;
    this.#status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    this.#logger.warn(`virtio device ${this.device.deviceId} needs a reset: ${reason}`);
    // "If DRIVER_OK is set, after it sets DEVICE_NEEDS_RESET, the device MUST send a device configuration change notification"
    if ((this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) this.configChanged();
  }

  /** Tells the driver of a change of the configuration. */
  configChanged(): void {
    this.#configGeneration += 1;
    this.#interrupts.configChange();
  }

  /** Back to the state after power-on; the device itself at the end of {@link service} when it is at work. */
  reset(): void {
    this.#queueEndPending = false;
    this.#status = 0;
    this.#active = false;
    this.#accepted.clear();
    this.#queues.clear();
    this.#resetPending = this.#working;
    if (!this.#working) this.device.reset();
  }

  /** @throws VirtioError `SNAPSHOT_BUSY` while the device is at work */
  snapshot(): SessionSnapshot {
    if (this.#working) throw snapshotBusy(this.device.deviceId);
    return {
      version: 1,
      deviceId: this.device.deviceId,
      status: this.#status,
      driverFeatures: `0x${this.#accepted.mask.toString(16)}`,
      configGeneration: this.configGeneration,
      queues: this.#queues.snapshot(),
      device: this.device.snapshot?.() ?? null,
    };
  }

  /**
   * @returns what resets the session and brings the snapshot back. It throws VirtioError `SNAPSHOT_REFUSED` when the device,
   * or what is below it, does not take it; the session must be reset then
   * @throws VirtioError `SNAPSHOT` when the snapshot is damaged or of another device, or the memory is missing
   */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const { status, configGeneration, driver } = readSession(
      snapshot,
      this.device.deviceId,
      this.offeredFeatures,
    );
    const memory = driver.isUp ? this.#memory : undefined;
    if (driver.isUp && memory === undefined)
      snapshot.refuse('needs memory: plug the device in first');
    const putQueues = this.#queues.prepareRestore(snapshot.field('queues'), memory, driver);
    const restoreDevice = prepareDevice(this.device, snapshot.field('device'), driver);
    return () => {
      this.reset();
      this.#accepted.mask = driver.features;
      if ((status & VIRTIO_CONFIG_S_FEATURES_OK) !== 0 && !this.#agrees()) {
        throw snapshotRefused('the device refuses the features');
      }
      this.#status = status;
      const queues = putQueues();
      if (memory !== undefined) this.#activate(memory, queues);
      restoreDevice();
      this.#configGeneration = configGeneration - (this.device.silentConfigChanges ?? 0);
    };
  }

  /** @returns whether there may be work: a driver that did not wait may have kicked any queue. */
  #finishReset(): boolean {
    this.#resetPending = false;
    this.device.reset();
    if ((this.#status & VIRTIO_CONFIG_S_FEATURES_OK) === 0) return false;
    if (!this.#agrees()) {
      this.needsReset('it refuses features that the driver wrote before the last reset was done');
    } else if ((this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0) {
      this.#start();
      for (let index = 0; index < this.queueCount; index += 1) this.#queues.kick(index);
    }
    return (this.#status & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
  }

  #agrees(): boolean {
    const features = this.#accepted.mask;
    if (!isAgreeable(features, this.offeredFeatures)) return false;
    // Not from within another call: asked when the reset is done.
    return this.#resetPending || (this.device.acceptFeatures?.(features) ?? true);
  }

  #start(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    this.#activate(memory, this.#queues.start(memory, this.#accepted.mask));
  }

  #activate(memory: GuestMemory, queues: readonly (Virtqueue | undefined)[]): void {
    this.#active = true;
    this.#guarded.activate({
      memory,
      queues,
      driverFeatures: this.#accepted.mask,
      interrupts: this.#deviceInterrupts,
      requestService: (index) => this.#queues.kick(index),
      needsReset: (reason) => this.#deviceNeedsReset(reason),
    });
  }

  #deviceNeedsReset(reason: string): void {
    if (!this.#resetPending) this.needsReset(reason);
  }

  /** "After a queue has been reset by the driver, the device MUST NOT execute any requests from that virtqueue" */
  #endQueue(index: number, end: QueueEnd): void {
    if (end === 'reset' && (this.#accepted.mask & VIRTIO_F_RING_RESET) === 0n) return;
    this.#queues.beginEnd(index, end);
    // After a reset the device has no queue with which it could come to an end.
    this.#queueEndPending = this.#working && !this.#resetPending;
    if (!this.#queueEndPending) this.#finishQueueEnds();
  }

  #finishQueueEnds(): void {
    this.#queueEndPending = false;
    this.#queues.finishEnds((index) => {
      if (this.#active) this.device.queueReset?.(index);
    });
  }
}
