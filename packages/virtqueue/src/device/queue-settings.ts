/** QueueSettings: what the driver writes into the registers of one queue before it enables it. */
import { joinLe64 } from '../memory/le64.ts';

/** "Queue areas": descriptor area, driver area and device area of the registers. */
export type QueueArea = 'descriptorArea' | 'driverArea' | 'deviceArea';

const AREAS: Readonly<Record<QueueArea, number>> = {
  descriptorArea: 0,
  driverArea: 2,
  deviceArea: 4,
};

/** Low and high word of each area. */
export const ADDRESS_WORDS = 6;

/** How the driver takes a queue back: its settings stay, or go back to their initial state as well. */
export type QueueEnd = 'disable' | 'reset';

/** What the session does when a queue is enabled, disabled or reset. */
export interface QueueOwner {
  enableQueue(index: number): void;
  endQueue(index: number, end: QueueEnd): void;
}

export class QueueSettings {
  readonly index: number;
  readonly maxSize: number;
  /** Number of descriptors; the driver may reduce it while the queue is not enabled. */
  size: number;
  enabled = false;
  /** The driver takes the queue back, and the device has not come to an end with it; `enabled` is true until then. */
  ending: QueueEnd | undefined;
  readonly #addresses = new Uint32Array(ADDRESS_WORDS);
  readonly #owner: QueueOwner;

  constructor(index: number, maxSize: number, owner: QueueOwner) {
    this.index = index;
    this.maxSize = maxSize;
    this.size = maxSize;
    this.#owner = owner;
  }

  /** Half 0 is the low, half 1 the high 32 bits. */
  readAddress(area: QueueArea, half: 0 | 1): number {
    return this.#addresses[AREAS[area] + half]!;
  }

  /** Ignored while the queue is enabled: the driver must not change it then. */
  writeAddress(area: QueueArea, half: 0 | 1, value: number): void {
    if (!this.enabled) this.#addresses[AREAS[area] + half] = value;
  }

  address(area: QueueArea): number {
    return joinLe64(this.readAddress(area, 0), this.readAddress(area, 1));
  }

  enable(): void {
    if (!this.enabled && this.ending === undefined) this.#owner.enableQueue(this.index);
  }

  /** Virtio over MMIO: the driver stops using the queue, and may change its settings once it is not `enabled` any more. */
  disable(): void {
    if (this.enabled && this.ending === undefined) this.#owner.endQueue(this.index, 'disable');
  }

  /** VIRTIO_F_RING_RESET: the queue alone goes back to its initial state; it has when it is neither `resetting` nor `enabled`. */
  reset(): void {
    this.#owner.endQueue(this.index, 'reset');
  }

  get resetting(): boolean {
    return this.ending === 'reset';
  }

  /** The device has come to an end with the queue. */
  end(): void {
    if (this.ending === 'reset') this.clear();
    this.enabled = false;
    this.ending = undefined;
  }

  /** Low and high word of each area, in the order of the registers. */
  get addresses(): readonly number[] {
    return [...this.#addresses];
  }

  /** As the driver of a snapshot had left it. */
  restore(size: number, enabled: boolean, addresses: readonly number[]): void {
    this.size = size;
    this.enabled = enabled;
    this.#addresses.set(addresses);
  }

  /** Back to the values of a device that was just reset. */
  clear(): void {
    this.size = this.maxSize;
    this.enabled = false;
    this.ending = undefined;
    this.#addresses.fill(0);
  }
}
