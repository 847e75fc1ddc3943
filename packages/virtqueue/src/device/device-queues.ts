/** DeviceQueues: the queues of one device: their registers, their rings while the driver is up, and which were kicked. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DeviceRing } from '../ring/device-ring.ts';
import { PackedVirtqueue } from '../ring/packed-virtqueue.ts';
import { SplitVirtqueue } from '../ring/split-virtqueue.ts';
import type { Virtqueue } from '../ring/virtqueue.ts';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_RING_PACKED } from './constants.ts';
import { type QueueEnd, QueueSettings } from './queue-settings.ts';

/** What the session does for its queues. */
export interface DeviceQueuesOwner {
  /** The driver takes a queue back. */
  endQueue(index: number, end: QueueEnd): void;
  /** The driver broke a queue. */
  needsReset(reason: string): void;
  /** Has the device work through a queue. @returns true when buffers are left */
  notifyDevice(index: number): boolean;
}

export class DeviceQueues {
  readonly settings: readonly QueueSettings[];
  readonly #owner: DeviceQueuesOwner;
  readonly #rings: (DeviceRing | undefined)[];
  readonly #kicked: Uint8Array;
  /** Where the rings lie, while the driver is up. */
  #memory: GuestMemory | undefined;
  #features = 0n;

  constructor(maxSizes: readonly number[], owner: DeviceQueuesOwner) {
    this.#owner = owner;
    const settingsOwner = {
      enableQueue: (index: number) => this.#enable(index),
      endQueue: (index: number, end: QueueEnd) => owner.endQueue(index, end),
    };
    this.settings = maxSizes.map(
      (maxSize, index) => new QueueSettings(index, maxSize, settingsOwner),
    );
    this.#rings = maxSizes.map(() => undefined);
    this.#kicked = new Uint8Array(maxSizes.length);
  }

  /** DRIVER_OK: makes the rings of the queues that are enabled. A queue that is enabled later joins the same array. */
  start(memory: GuestMemory, features: bigint): readonly (Virtqueue | undefined)[] {
    this.#memory = memory;
    this.#features = features;
    for (const settings of this.settings) if (settings.enabled) this.#createRing(settings);
    return this.#rings;
  }

  /** Notes a kick; ignored before DRIVER_OK ("The device MUST NOT consume buffers … before DRIVER_OK"). */
  kick(index: number): void {
    if (this.#memory !== undefined && index < this.#kicked.length) this.#kicked[index] = 1;
  }

  forgetKicks(): void {
    this.#kicked.fill(0);
  }

  /**
   * Has the device work through each usable queue that was kicked, once.
   *
   * @returns true when one of them has buffers left, or was kicked meanwhile
   */
  workThroughKicks(): boolean {
    for (let index = 0; index < this.#kicked.length; index += 1) {
      if (this.#kicked[index] === 0) continue;
      this.#kicked[index] = 0;
      const ring = this.#rings[index];
      if (ring === undefined || ring.broken || !this.#owner.notifyDevice(index)) continue;
      // The driver can have taken the queue back meanwhile.
      if (this.#rings[index] !== ring) continue;
      this.#kicked[index] = 1;
    }
    return this.#kicked.includes(1);
  }

  /** The driver takes one queue back: the device cannot use it from now on, whatever it is doing. */
  beginEnd(index: number, end: QueueEnd): void {
    this.#kicked[index] = 0;
    this.#rings[index]?.retire();
    this.#rings[index] = undefined;
    this.settings[index]!.ending = end;
  }

  /** The device has come to an end with the queues that the driver took back. @param done called for each */
  finishEnds(done: (index: number) => void): void {
    for (const settings of this.settings) {
      if (settings.ending === undefined) continue;
      settings.end();
      done(settings.index);
    }
  }

  /** Back to the state after power-on. Nothing is taken from the rings or given back any more, whoever still holds them. */
  clear(): void {
    this.forgetKicks();
    for (const ring of this.#rings) ring?.retire();
    this.#memory = undefined;
    this.#rings.fill(undefined);
    for (const settings of this.settings) settings.clear();
  }

  #enable(index: number): void {
    const settings = this.settings[index]!;
    settings.enabled = true;
    this.#createRing(settings);
  }

  #createRing(settings: QueueSettings): void {
    if (this.#memory === undefined) return;
    const { index, size, maxSize } = settings;
    if (size > maxSize) {
      this.#owner.needsReset(`queue ${index} has ${size} descriptors, more than ${maxSize}`);
      return;
    }
    const isPacked = (this.#features & VIRTIO_F_RING_PACKED) !== 0n;
    const ring = new (isPacked ? PackedVirtqueue : SplitVirtqueue)({
      index,
      size,
      memory: this.#memory,
      descriptorArea: settings.address('descriptorArea'),
      driverArea: settings.address('driverArea'),
      deviceArea: settings.address('deviceArea'),
      indirect: (this.#features & VIRTIO_F_INDIRECT_DESC) !== 0n,
      eventIdx: (this.#features & VIRTIO_F_EVENT_IDX) !== 0n,
      onBroken: (reason) => this.#owner.needsReset(reason),
    });
    if (!ring.broken) this.#rings[index] = ring;
  }
}
