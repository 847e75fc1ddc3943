/** DeviceQueues: the queues of one device: their registers, their rings while the driver is up, and which were kicked. */
import { VirtioError } from '../error.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DeviceRing } from '../ring/device-ring.ts';
import { MAX_QUEUE_SIZE } from '../ring/layout.ts';
import { PackedVirtqueue } from '../ring/packed-virtqueue.ts';
import { SplitVirtqueue } from '../ring/split-virtqueue.ts';
import type { Virtqueue } from '../ring/virtqueue.ts';
import type { QueueSnapshot, RestoredDriver } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_INDIRECT_DESC, VIRTIO_F_RING_PACKED } from './constants.ts';
import { GatedVirtqueue } from './gated-virtqueue.ts';
import { ObservedVirtqueue } from './observed-virtqueue.ts';
import type { QueueGate } from './queue-gate.ts';
import type { QueueObserver, QueueState } from './queue-observer.ts';
import { ADDRESS_WORDS, type QueueEnd, type QueueOwner, QueueSettings } from './queue-settings.ts';

const UINT32_MAX = 0xffff_ffff;

/** What the session does for its queues. */
export interface DeviceQueuesOwner {
  /** The driver takes a queue back. */
  endQueue(index: number, end: QueueEnd): void;
  /** The driver broke a queue. */
  needsReset(reason: string): void;
  /** Has the device work through a queue. @returns true when buffers are left */
  notifyDevice(index: number): boolean;
  /** See `VirtioDevice.keptBuffers`. */
  keptBuffers(index: number): readonly number[];
}

export class DeviceQueues {
  readonly settings: readonly QueueSettings[];
  readonly #owner: DeviceQueuesOwner;
  readonly #settingsOwner: QueueOwner;
  readonly #rings: (DeviceRing | undefined)[];
  readonly #observer: QueueObserver | undefined;
  readonly #gate: QueueGate | undefined;
  /** What the device is given of them: the rings themselves, or with an observer and a gate before them. */
  readonly #given: (Virtqueue | undefined)[];
  readonly #kicked: Uint8Array;
  /** The gate has kept the device from what it was kicked for. */
  readonly #held: Uint8Array;
  /** Where the rings lie, while the driver is up. */
  #memory: GuestMemory | undefined;
  #features = 0n;

  /** @throws VirtioError `QUEUE_SIZE` when one is no power of two up to 32768 */
  constructor(
    maxSizes: readonly number[],
    owner: DeviceQueuesOwner,
    observer: QueueObserver | undefined,
    gate: QueueGate | undefined,
  ) {
    for (const maxSize of maxSizes) checkMaxSize(maxSize);
    this.#owner = owner;
    this.#observer = observer;
    this.#gate = gate;
    this.#settingsOwner = {
      enableQueue: (index: number) => this.#enable(index),
      endQueue: (index: number, end: QueueEnd) => owner.endQueue(index, end),
    };
    this.settings = maxSizes.map(
      (maxSize, index) => new QueueSettings(index, maxSize, this.#settingsOwner),
    );
    this.#rings = maxSizes.map(() => undefined);
    this.#given = maxSizes.map(() => undefined);
    this.#kicked = new Uint8Array(maxSizes.length);
    this.#held = new Uint8Array(maxSizes.length);
    gate?.attached((index) => this.kick(index));
  }

  /** DRIVER_OK: makes the rings of the queues that are enabled. A queue that is enabled later joins the same array. */
  start(memory: GuestMemory, features: bigint): readonly (Virtqueue | undefined)[] {
    this.#memory = memory;
    this.#features = features;
    for (const settings of this.settings) if (settings.enabled) this.#createRing(settings);
    return this.#given;
  }

  /** Notes a kick; ignored before DRIVER_OK ("The device MUST NOT consume buffers … before DRIVER_OK"). */
  kick(index: number): void {
    if (this.#memory !== undefined && index < this.#kicked.length) this.#kicked[index] = 1;
  }

  /** The same of one that the driver has sent. */
  kickByDriver(index: number): void {
    this.kick(index);
    if (this.#observer !== undefined && this.#rings[index] !== undefined) {
      this.#observer.kicked(index);
    }
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
      this.#held[index] = 0;
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
    this.#held[index] = 0;
    this.#rings[index]?.retire();
    this.#put(index, undefined);
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
    this.#kicked.fill(0);
    this.#held.fill(0);
    for (const ring of this.#rings) ring?.retire();
    this.#memory = undefined;
    this.#rings.fill(undefined);
    this.#given.fill(undefined);
    for (const settings of this.settings) settings.clear();
  }

  states(): readonly QueueState[] {
    return this.settings.map((settings) => ({
      size: settings.size,
      enabled: settings.enabled,
      descriptorArea: settings.address('descriptorArea'),
      driverArea: settings.address('driverArea'),
      deviceArea: settings.address('deviceArea'),
      kicked: this.#kicked[settings.index] === 1,
      ring: this.#rings[settings.index]?.state(),
      kept: this.#owner.keptBuffers(settings.index),
    }));
  }

  snapshot(): readonly QueueSnapshot[] {
    return this.settings.map(({ index, size, enabled, addresses }) => ({
      size,
      enabled,
      addresses,
      // Who restores it may have no gate.
      kicked: (this.#kicked[index]! | this.#held[index]!) === 1,
      ring: this.#rings[index]?.snapshot() ?? null,
    }));
  }

  /**
   * @param memory where the rings lie, when the driver is up
   * @returns what puts the queues in place, in place of {@link start}; to be called after {@link clear}
   * @throws VirtioError `SNAPSHOT`
   */
  prepareRestore(
    snapshot: SnapshotReader,
    memory: GuestMemory | undefined,
    { features }: RestoredDriver,
  ): () => readonly (Virtqueue | undefined)[] {
    const queues = snapshot.items(this.settings.length);
    if (queues.length !== this.settings.length) snapshot.refuse('are not all queues');
    const restored = queues.map((queue, index) => {
      const { maxSize } = this.settings[index]!;
      const settings = readSettings(queue, index, maxSize, this.#settingsOwner);
      const kicked = queue.field('kicked').boolean();
      const ring = this.#restoreRing(queue.field('ring'), settings, memory, features);
      return { settings, kicked, ring };
    });
    return () => {
      this.#memory = memory;
      this.#features = features;
      for (const [index, { settings, kicked, ring }] of restored.entries()) {
        const { size, enabled, addresses } = settings;
        this.settings[index]!.restore(size, enabled, addresses);
        this.#kicked[index] = kicked ? 1 : 0;
        this.#put(index, ring);
      }
      return this.#given;
    };
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
    const ring = createRing(settings, this.#memory, this.#features, (reason) =>
      this.#owner.needsReset(reason),
    );
    if (!ring.broken) this.#put(index, ring);
  }

  #put(index: number, ring: DeviceRing | undefined): void {
    this.#rings[index] = ring;
    this.#given[index] = ring && this.#gated(index, this.#observed(index, ring));
  }

  #observed(index: number, ring: DeviceRing): Virtqueue {
    const observer = this.#observer;
    if (observer === undefined) return ring;
    observer.started(index, ring.size);
    return new ObservedVirtqueue(ring, observer);
  }

  #gated(index: number, queue: Virtqueue): Virtqueue {
    const gate = this.#gate;
    if (gate === undefined) return queue;
    return new GatedVirtqueue(queue, gate, () => {
      this.#held[index] = 1;
    });
  }

  #restoreRing(
    snapshot: SnapshotReader,
    settings: QueueSettings,
    memory: GuestMemory | undefined,
    features: bigint,
  ): DeviceRing | undefined {
    if (snapshot.isNull) return undefined;
    if (memory === undefined || !settings.enabled || settings.size > settings.maxSize) {
      snapshot.refuse('is a ring of a queue that cannot be in use');
    }
    let isRestored = false;
    const ring = createRing(settings, memory, features, (reason) => {
      if (isRestored) this.#owner.needsReset(reason);
    });
    if (ring.broken) snapshot.refuse('is a ring that cannot lie where it does');
    ring.restore(snapshot);
    isRestored = true;
    return ring;
  }
}

function checkMaxSize(maxSize: number): void {
  if (maxSize < 1 || maxSize > MAX_QUEUE_SIZE || (maxSize & (maxSize - 1)) !== 0) {
    throw new VirtioError('QUEUE_SIZE', `a queue of ${maxSize}: choose a power of two up to 32768`);
  }
}

function createRing(
  settings: QueueSettings,
  memory: GuestMemory,
  features: bigint,
  onBroken: (reason: string) => void,
): DeviceRing {
  const Ring = (features & VIRTIO_F_RING_PACKED) === 0n ? SplitVirtqueue : PackedVirtqueue;
  return new Ring({
    index: settings.index,
    size: settings.size,
    memory,
    descriptorArea: settings.address('descriptorArea'),
    driverArea: settings.address('driverArea'),
    deviceArea: settings.address('deviceArea'),
    indirect: (features & VIRTIO_F_INDIRECT_DESC) !== 0n,
    eventIdx: (features & VIRTIO_F_EVENT_IDX) !== 0n,
    onBroken,
  });
}

function readSettings(
  snapshot: SnapshotReader,
  index: number,
  maxSize: number,
  owner: QueueOwner,
): QueueSettings {
  const settings = new QueueSettings(index, maxSize, owner);
  const size = snapshot.field('size').integer(0, UINT32_MAX);
  const reader = snapshot.field('addresses');
  const addresses = reader.integers(ADDRESS_WORDS);
  const isWhole = addresses.length === ADDRESS_WORDS;
  if (!isWhole || addresses.some((word) => word > UINT32_MAX)) reader.refuse('are no addresses');
  settings.restore(size, snapshot.field('enabled').boolean(), addresses);
  return settings;
}
