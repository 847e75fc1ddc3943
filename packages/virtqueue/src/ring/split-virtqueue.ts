/** SplitVirtqueue: the device's side of a split virtqueue ("Split Virtqueues"). */
import { ACCESS_READ, ACCESS_WRITE, type GuestMemory } from '../memory/guest-memory.ts';
import { ChainWalker, descriptorTablePart } from './chain-walk.ts';
import {
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  availRingSize,
  MAX_QUEUE_SIZE,
  USED_ELEM_SIZE,
  USED_FLAGS,
  USED_IDX,
  USED_RING,
  usedRingSize,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_USED_F_NO_NOTIFY,
} from './layout.ts';
import { RingPart } from './ring-part.ts';
import type { DescriptorChain, Virtqueue } from './virtqueue.ts';

export interface SplitVirtqueueOptions {
  readonly index: number;
  /** A power of two from 1 to 32768. */
  readonly size: number;
  readonly memory: GuestMemory;
  /** Address, a multiple of 16. */
  readonly descriptorArea: number;
  /** Address, a multiple of 2. */
  readonly driverArea: number;
  /** Address, a multiple of 4. */
  readonly deviceArea: number;
  /** VIRTIO_F_INDIRECT_DESC was negotiated. */
  readonly indirect: boolean;
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  readonly eventIdx: boolean;
  /** Called once, when the driver broke the ring. */
  readonly onBroken: (reason: string) => void;
}

const WRAP = 0xffff;

export class SplitVirtqueue implements Virtqueue {
  readonly index: number;
  readonly size: number;
  readonly memory: GuestMemory;
  broken = false;
  readonly #table: RingPart;
  readonly #avail: RingPart;
  readonly #used: RingPart;
  readonly #walker: ChainWalker;
  readonly #eventIdx: boolean;
  readonly #usedEventOffset: number;
  readonly #availEventOffset: number;
  readonly #onBroken: (reason: string) => void;
  /** Free-running, as the indices in the rings. */
  #nextAvail = 0;
  #availIdx = 0;
  #usedIdx = 0;
  #signalledUsedIdx = 0;

  constructor(options: SplitVirtqueueOptions) {
    const { size, memory } = options;
    this.index = options.index;
    this.size = size;
    this.memory = memory;
    this.#table = descriptorTablePart(memory, options.descriptorArea, size);
    this.#avail = new RingPart(memory, options.driverArea, availRingSize(size), ACCESS_READ);
    this.#used = new RingPart(
      memory,
      options.deviceArea,
      usedRingSize(size),
      ACCESS_READ | ACCESS_WRITE,
    );
    this.#walker = new ChainWalker(memory, this.#table, size, options.indirect);
    this.#eventIdx = options.eventIdx;
    this.#usedEventOffset = AVAIL_RING + 2 * size;
    this.#availEventOffset = USED_RING + USED_ELEM_SIZE * size;
    this.#onBroken = options.onBroken;
    this.#checkPlacement(options);
  }

  /** The driver takes the queue back: nothing is popped or pushed any more, whoever still holds it. */
  retire(): void {
    this.broken = true;
  }

  pop(chain: DescriptorChain): boolean {
    if (!this.#ready() || !this.#hasAvailable()) return false;
    const slot = this.#nextAvail & (this.size - 1);
    const head = this.#avail.load16(AVAIL_RING + 2 * slot);
    if (this.#avail.failed) return this.#break('the available ring is not in memory');
    if (!this.#walker.walk(head, chain)) return this.#break(this.#walker.reason);
    this.#nextAvail = (this.#nextAvail + 1) & WRAP;
    return true;
  }

  pushUsed(head: number, length: number): void {
    if (!this.#ready()) return;
    this.#storeUsed(head, length);
    this.#publishUsed();
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    if (!this.#ready()) return;
    for (let index = 0; index < count; index += 1) this.#storeUsed(heads[index]!, lengths[index]!);
    this.#publishUsed();
  }

  #storeUsed(head: number, length: number): void {
    const offset = USED_RING + USED_ELEM_SIZE * (this.#usedIdx & (this.size - 1));
    this.#used.storePair32(offset, head, length);
    this.#usedIdx = (this.#usedIdx + 1) & WRAP;
  }

  #publishUsed(): void {
    // "The device MUST set len prior to updating the used idx": the store below publishes all stores before it.
    this.#used.storeShared16(USED_IDX, this.#usedIdx);
    if (this.#used.failed) this.#break('the used ring is not in memory');
  }

  shouldInterrupt(): boolean {
    const old = this.#signalledUsedIdx;
    const now = this.#usedIdx;
    this.#signalledUsedIdx = now;
    if (old === now || !this.#ready()) return false;
    // The used index was stored and the driver's wish is loaded in one total order, so that not both sides go to sleep.
    if (!this.#eventIdx) {
      return (this.#avail.loadShared16(AVAIL_FLAGS) & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0;
    }
    const usedEvent = this.#avail.loadShared16(this.#usedEventOffset);
    return ((now - usedEvent - 1) & WRAP) < ((now - old) & WRAP);
  }

  disableNotifications(): void {
    // With VIRTIO_F_EVENT_IDX the driver kicks only when it passes avail_event, which is behind it by now.
    if (this.#eventIdx || !this.#ready()) return;
    this.#used.storeShared16(USED_FLAGS, VIRTQ_USED_F_NO_NOTIFY);
  }

  enableNotifications(): boolean {
    if (!this.#ready()) return false;
    if (this.#eventIdx) this.#used.storeShared16(this.#availEventOffset, this.#nextAvail);
    else this.#used.storeShared16(USED_FLAGS, 0);
    if (this.#used.failed) return this.#break('the used ring is not in memory');
    // Looked at again after the wish is out: what came before the driver could see it gets no kick.
    return this.#hasAvailable();
  }

  #hasAvailable(): boolean {
    if (this.#nextAvail !== this.#availIdx) return true;
    // What the driver wrote before it moved the index is visible after this load.
    const availIdx = this.#avail.loadShared16(AVAIL_IDX);
    if (this.#avail.failed) return this.#break('the available ring is not in memory');
    if (((availIdx - this.#nextAvail) & WRAP) > this.size) {
      return this.#break(`the available index jumped from ${this.#nextAvail} to ${availIdx}`);
    }
    this.#availIdx = availIdx;
    return availIdx !== this.#nextAvail;
  }

  #ready(): boolean {
    if (this.broken) return false;
    if (this.#table.refresh() && this.#avail.refresh() && this.#used.refresh()) return true;
    return this.#break('a part of the ring is not in memory');
  }

  #checkPlacement({ size, descriptorArea, driverArea, deviceArea }: SplitVirtqueueOptions): void {
    if (!Number.isInteger(size) || size < 1 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0) {
      this.#break(`a queue of ${size} descriptors`);
    } else if (descriptorArea % 16 !== 0 || driverArea % 2 !== 0 || deviceArea % 4 !== 0) {
      this.#break('a part of the ring is misaligned');
    }
  }

  #break(reason: string): false {
    if (!this.broken) {
      this.broken = true;
      this.#onBroken(`queue ${this.index}: ${reason}`);
    }
    return false;
  }
}
