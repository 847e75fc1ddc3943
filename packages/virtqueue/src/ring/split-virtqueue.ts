/** SplitVirtqueue: the device's side of a split virtqueue ("Split Virtqueues"). */
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import type { SplitRingSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { DeviceRing, type VirtqueueOptions } from './device-ring.ts';
import { descriptorAreaSize, MAX_QUEUE_SIZE } from './layout.ts';
import { RingPart } from './ring-part.ts';
import type { NotificationWish, SplitRingState } from './ring-state.ts';
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
/** Of a wish that is not known. */
const UNKNOWN = -1;

export class SplitVirtqueue extends DeviceRing {
  readonly #table: RingPart;
  readonly #avail: RingPart;
  readonly #used: RingPart;
  readonly #walker: SplitChainWalker;
  readonly #eventIdx: boolean;
  /** Of what says whether the driver wants an interrupt: `used_event`, or its `flags`. */
  readonly #wishOffset: number;
  readonly #availEventOffset: number;
  /** Free-running, as the indices in the rings. */
  #nextAvail = 0;
  #availIdx = 0;
  #usedIdx = 0;
  #signalledUsedIdx = 0;
  // For whoever looks; once for all buffers that are used in one go.
  /** What the device's field for kicks holds, `avail_event` or `flags`. */
  #kickWish = UNKNOWN;
  /** What the driver's field for interrupts held when it was last read. */
  #interruptWish = UNKNOWN;
  // The parts as arrays: see RingPart.
  #availHalves: Uint16Array = new Uint16Array(0);
  #availStart = 0;
  #usedWords: Int32Array = new Int32Array(0);
  #usedStart = 0;
  #usedHalves: Uint16Array = new Uint16Array(0);
  #isInPlace = false;
  #isShared = false;

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
    this.#walker = new SplitChainWalker(memory, this.#table, size, options.indirect);
    this.#eventIdx = options.eventIdx;
    this.#wishOffset = options.eventIdx ? AVAIL_RING + 2 * size : AVAIL_FLAGS;
    this.#availEventOffset = USED_RING + USED_ELEM_SIZE * size;
    this.#checkPlacement(options);
  }

  get isInPlace(): boolean {
    return this.#avail.isInPlace;
  }

  pop(chain: DescriptorChain): boolean {
    if (!this.isReady()) return false;
    const next = this.#nextAvail;
    if (next === this.#availIdx && !this.#hasAvailable()) return false;
    const slot = next & (this.size - 1);
    if (!this.#isInPlace && !this.#avail.fetch(AVAIL_RING + 2 * slot, 2)) {
      return this.fail('the available ring is not in memory');
    }
    const head = this.#availHalves[this.#availStart + AVAIL_RING / 2 + slot]!;
    if (!this.#walker.walk(head, chain)) return this.fail(this.#walker.reason);
    this.#nextAvail = (next + 1) & WRAP;
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
    const slot = this.#usedIdx & (this.size - 1);
    const at = (this.#usedStart + USED_RING / 4 + 2 * slot) | 0;
    const words = this.#usedWords;
    words[at] = head;
    words[at + 1] = length;
    if (!this.#isInPlace) this.#flushUsed(USED_RING + USED_ELEM_SIZE * slot);
    this.#usedIdx = (this.#usedIdx + 1) & WRAP;
  }

  #flushUsed(offset: number): void {
    if (!this.#used.flush(offset, USED_ELEM_SIZE)) this.fail('the used ring is not in memory');
  }

  /** "The device MUST set len prior to updating the used idx": the store publishes all stores before it. */
  #publishUsed(): void {
    this.#storeShared(USED_IDX, this.#usedIdx);
  }

  shouldInterrupt(): boolean {
    const old = this.#signalledUsedIdx;
    const now = this.#usedIdx;
    this.#signalledUsedIdx = now;
    if (old === now || !this.isReady()) return false;
    // The used index was stored and the driver's wish is loaded in one total order, so that not both sides go to sleep.
    const wish = this.#loadShared(this.#wishOffset);
    if (this.broken) return false;
    this.#interruptWish = wish;
    if (!this.#eventIdx) return (wish & VIRTQ_AVAIL_F_NO_INTERRUPT) === 0;
    return ((now - wish - 1) & WRAP) < ((now - old) & WRAP);
  }

  disableNotifications(): void {
    // With VIRTIO_F_EVENT_IDX the driver kicks only when it passes avail_event, which is behind it by now.
    if (this.#eventIdx || !this.isReady()) return;
    this.#kickWish = VIRTQ_USED_F_NO_NOTIFY;
    this.#storeShared(USED_FLAGS, VIRTQ_USED_F_NO_NOTIFY);
  }

  enableNotifications(): boolean {
    if (!this.isReady()) return false;
    this.#kickWish = this.#eventIdx ? this.#nextAvail : 0;
    this.#storeShared(this.#eventIdx ? this.#availEventOffset : USED_FLAGS, this.#kickWish);
    if (this.broken) return false;
    // Looked at again after the wish is out: what came before the driver could see it gets no kick.
    return this.#nextAvail !== this.#availIdx || this.#hasAvailable();
  }

  #hasAvailable(): boolean {
    // What the driver wrote before it moved the index is visible after this load.
    const availIdx = this.#loadShared(AVAIL_IDX);
    if (this.broken) return false;
    if (((availIdx - this.#nextAvail) & WRAP) > this.size) {
      return this.fail(`the available index jumped from ${this.#nextAvail} to ${availIdx}`);
    }
    this.#availIdx = availIdx;
    return availIdx !== this.#nextAvail;
  }

  /** Loads a field of the available ring with the barrier that it needs; see RingPart. 0 when the ring breaks. */
  #loadShared(offset: number): number {
    if (!this.#isInPlace && !this.#avail.fetchShared(offset, 2)) {
      this.fail('the available ring is not in memory');
      return 0;
    }
    const at = (this.#availStart + (offset >>> 1)) | 0;
    return this.#isShared ? Atomics.load(this.#availHalves, at) : this.#availHalves[at]!;
  }

  /** Stores a field of the used ring with the barrier that it needs. */
  #storeShared(offset: number, value: number): void {
    const at = (2 * this.#usedStart + (offset >>> 1)) | 0;
    if (this.#isShared) Atomics.store(this.#usedHalves, at, value);
    else this.#usedHalves[at] = value;
    if (!this.#isInPlace) this.#flushShared(offset);
  }

  #flushShared(offset: number): void {
    if (!this.broken && !this.#used.flushShared(offset, 2)) {
      this.fail('the used ring is not in memory');
    }
  }

  state(): SplitRingState {
    return {
      layout: 'split',
      broken: this.broken,
      inFlight: (this.#nextAvail - this.#usedIdx) & WRAP,
      nextAvail: this.#nextAvail,
      availIdx: this.#availIdx,
      usedIdx: this.#usedIdx,
      kicks: this.#wishOf(this.#kickWish),
      interrupts: this.#wishOf(this.#interruptWish),
    };
  }

  /** VIRTQ_USED_F_NO_NOTIFY and VIRTQ_AVAIL_F_NO_INTERRUPT are the same bit. */
  #wishOf(field: number): NotificationWish | undefined {
    if (field === UNKNOWN) return undefined;
    if (this.#eventIdx) return { isAsked: true, at: field };
    return { isAsked: (field & VIRTQ_USED_F_NO_NOTIFY) === 0, at: undefined };
  }

  snapshot(): SplitRingSnapshot {
    return {
      broken: this.broken,
      nextAvail: this.#nextAvail,
      usedIdx: this.#usedIdx,
      signalledUsedIdx: this.#signalledUsedIdx,
    };
  }

  restore(snapshot: SnapshotReader): void {
    this.broken = snapshot.field('broken').boolean();
    this.#nextAvail = snapshot.field('nextAvail').integer(0, WRAP);
    this.#usedIdx = snapshot.field('usedIdx').integer(0, WRAP);
    this.#signalledUsedIdx = snapshot.field('signalledUsedIdx').integer(0, WRAP);
    if (((this.#nextAvail - this.#usedIdx) & WRAP) > this.size) {
      snapshot.refuse('has more buffers than the queue');
    }
    // Looked up anew: the driver may have made more available meanwhile.
    this.#availIdx = this.#nextAvail;
  }

  protected override refresh(): boolean {
    const table = this.#table;
    const avail = this.#avail;
    const used = this.#used;
    if (!table.refresh() || !avail.refresh() || !used.refresh()) return false;
    this.#walker.refresh();
    this.#availHalves = avail.halves;
    this.#availStart = avail.startHalf;
    this.#usedWords = used.words;
    this.#usedStart = used.start;
    this.#usedHalves = used.halves;
    this.#isInPlace = avail.isInPlace && used.isInPlace;
    this.#isShared = this.memory.isShared;
    return true;
  }

  #checkPlacement({ size, descriptorArea, driverArea, deviceArea }: VirtqueueOptions): void {
    if (!Number.isInteger(size) || size < 1 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0) {
      this.fail(`a queue of ${size} descriptors`);
    } else if (descriptorArea % 16 !== 0 || driverArea % 2 !== 0 || deviceArea % 4 !== 0) {
      this.fail('a part of the ring is misaligned');
    }
  }
}
