/** SplitVirtqueue: the device's side of a split virtqueue ("Split Virtqueues"). */
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import { ChainReader } from './chain-reader.ts';
import { DeviceRing, type VirtqueueOptions } from './device-ring.ts';
import { descriptorAreaSize, MAX_QUEUE_SIZE } from './layout.ts';
import { RingPart } from './ring-part.ts';
import { SplitChainWalker } from './split-chain-walker.ts';
import {
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  availRingSize,
  USED_ELEM_SIZE,
  USED_FLAGS,
  USED_IDX,
  USED_RING,
  usedRingSize,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_USED_F_NO_NOTIFY,
} from './split-layout.ts';
import type { DescriptorChain } from './virtqueue.ts';

const WRAP = 0xffff;

export class SplitVirtqueue extends DeviceRing {
  readonly #table: RingPart;
  readonly #avail: RingPart;
  readonly #used: RingPart;
  readonly #reader: ChainReader;
  readonly #walker: SplitChainWalker;
  readonly #eventIdx: boolean;
  readonly #usedEventOffset: number;
  readonly #availEventOffset: number;
  /** Free-running, as the indices in the rings. */
  #nextAvail = 0;
  #availIdx = 0;
  #usedIdx = 0;
  #signalledUsedIdx = 0;

  constructor(options: VirtqueueOptions) {
    super(options);
    const { size, memory } = options;
    const tableSize = descriptorAreaSize(size);
    this.#table = new RingPart(memory, options.descriptorArea, tableSize, ACCESS_READ);
    this.#avail = new RingPart(memory, options.driverArea, availRingSize(size), ACCESS_READ);
    this.#used = new RingPart(
      memory,
      options.deviceArea,
      usedRingSize(size),
      ACCESS_READ | ACCESS_WRITE,
    );
    this.#reader = new ChainReader(memory, this.#table, size, options.indirect);
    this.#walker = new SplitChainWalker(this.#reader);
    this.#eventIdx = options.eventIdx;
    this.#usedEventOffset = AVAIL_RING + 2 * size;
    this.#availEventOffset = USED_RING + USED_ELEM_SIZE * size;
    this.#checkPlacement(options);
  }

  get isInPlace(): boolean {
    return this.#avail.isInPlace;
  }

  pop(chain: DescriptorChain): boolean {
    if (!this.isReady() || !this.#hasAvailable()) return false;
    const slot = this.#nextAvail & (this.size - 1);
    const head = this.#avail.load16(AVAIL_RING + 2 * slot);
    if (this.#avail.failed) return this.fail('the available ring is not in memory');
    if (!this.#walker.walk(head, chain)) return this.fail(this.#reader.reason);
    this.#nextAvail = (this.#nextAvail + 1) & WRAP;
    // Where memory is reached by messages, the driver may have taken the queue back meanwhile.
    return !this.broken;
  }

  pushUsed(head: number, length: number): void {
    if (!this.isReady()) return;
    this.#storeUsed(head, length);
    this.#publishUsed();
  }

  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    if (!this.isReady()) return;
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
    if (this.#used.failed) this.fail('the used ring is not in memory');
  }

  shouldInterrupt(): boolean {
    const old = this.#signalledUsedIdx;
    const now = this.#usedIdx;
    this.#signalledUsedIdx = now;
    if (old === now || !this.isReady()) return false;
    // The used index was stored and the driver's wish is loaded in one total order, so that not both sides go to sleep.
    return this.#isInterruptWanted(now, old) && !this.broken;
  }

  disableNotifications(): void {
    // With VIRTIO_F_EVENT_IDX the driver kicks only when it passes avail_event, which is behind it by now.
    if (this.#eventIdx || !this.isReady()) return;
    this.#used.storeShared16(USED_FLAGS, VIRTQ_USED_F_NO_NOTIFY);
  }

  enableNotifications(): boolean {
    if (!this.isReady()) return false;
    if (this.#eventIdx) this.#used.storeShared16(this.#availEventOffset, this.#nextAvail);
    else this.#used.storeShared16(USED_FLAGS, 0);
    if (this.#used.failed) return this.fail('the used ring is not in memory');
    // Looked at again after the wish is out: what came before the driver could see it gets no kick.
    return this.#hasAvailable();
  }

  #isInterruptWanted(now: number, old: number): boolean {
    if (!this.#eventIdx) {
      return (this.#avail.loadShared16(AVAIL_FLAGS) & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0;
    }
    const usedEvent = this.#avail.loadShared16(this.#usedEventOffset);
    return ((now - usedEvent - 1) & WRAP) < ((now - old) & WRAP);
  }

  #hasAvailable(): boolean {
    if (this.#nextAvail !== this.#availIdx) return true;
    // What the driver wrote before it moved the index is visible after this load.
    const availIdx = this.#avail.loadShared16(AVAIL_IDX);
    if (this.#avail.failed) return this.fail('the available ring is not in memory');
    if (((availIdx - this.#nextAvail) & WRAP) > this.size) {
      return this.fail(`the available index jumped from ${this.#nextAvail} to ${availIdx}`);
    }
    this.#availIdx = availIdx;
    return availIdx !== this.#nextAvail;
  }

  protected override refresh(): boolean {
    return this.#table.refresh() && this.#avail.refresh() && this.#used.refresh();
  }

  #checkPlacement({ size, descriptorArea, driverArea, deviceArea }: VirtqueueOptions): void {
    if (!Number.isInteger(size) || size < 1 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0) {
      this.fail(`a queue of ${size} descriptors`);
    } else if (descriptorArea % 16 !== 0 || driverArea % 2 !== 0 || deviceArea % 4 !== 0) {
      this.fail('a part of the ring is misaligned');
    }
  }
}
