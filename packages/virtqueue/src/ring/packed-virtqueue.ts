/** PackedVirtqueue: the device's side of a packed virtqueue ("Packed Virtqueues"). */
import { VirtioError } from '../error.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import type { PackedRingSnapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts';
import { DeviceRing, type VirtqueueOptions } from './device-ring.ts';
import {
  DESC_LEN,
  DESC_SIZE,
  DESC_TAIL,
  descriptorAreaSize,
  MAX_QUEUE_SIZE,
  VIRTQ_DESC_F_WRITE,
} from './layout.ts';
import { PackedChainWalker } from './packed-chain-walker.ts';
import {
  AVAIL_AND_USED,
  EVENT_SIZE,
  eventSuppression,
  isEventWanted,
  PackedPosition,
  RING_EVENT_FLAGS_DESC,
  RING_EVENT_FLAGS_DISABLE,
  RING_EVENT_FLAGS_ENABLE,
  TAIL_FLAGS_SHIFT,
  UNKNOWN_EVENT,
  wishOfEvent,
} from './packed-layout.ts';
import { RingPart } from './ring-part.ts';
import type { PackedRingState } from './ring-state.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class PackedVirtqueue extends DeviceRing {
  readonly #ring: RingPart;
  readonly #driverEvent: RingPart;
  readonly #deviceEvent: RingPart;
  readonly #walker: PackedChainWalker;
  readonly #eventIdx: boolean;
  /** Where the driver makes its next descriptor available, and where the next used one goes. */
  readonly #available: PackedPosition;
  readonly #used: PackedPosition;
  /** By buffer ID: the descriptors of a buffer that the device has, else 0. The ring may say anything by now. */
  readonly #chainLengths: Uint16Array;
  /** Descriptors of all buffers that the device has. */
  #inFlight = 0;
  /** The last four bytes of the next descriptor that is available. */
  #headTail = 0;
  /** Descriptors used since the driver's wish for interrupts was looked at. */
  #unsignalled = 0;
  // For whoever looks; once for all buffers that are used in one go.
  /** The device's event suppression structure as it was last written, and the driver's as it was last read. */
  #kickWish = UNKNOWN_EVENT;
  #interruptWish = UNKNOWN_EVENT;
  // The parts as arrays: see RingPart.
  #words: Int32Array = new Int32Array(0);
  #start = 0;
  #eventWords: Int32Array = new Int32Array(0);
  #eventStart = 0;
  #isInPlace = false;
  #isShared = false;

  constructor(options: VirtqueueOptions) {
    super(options);
    const { size, memory, driverArea, deviceArea } = options;
    const both = ACCESS_READ | ACCESS_WRITE;
    this.#ring = new RingPart(memory, options.descriptorArea, descriptorAreaSize(size), both);
    this.#driverEvent = new RingPart(memory, driverArea, EVENT_SIZE, ACCESS_READ);
    this.#deviceEvent = new RingPart(memory, deviceArea, EVENT_SIZE, both);
    this.#walker = new PackedChainWalker(memory, this.#ring, size, options.indirect);
    this.#eventIdx = options.eventIdx;
    this.#available = new PackedPosition(size);
    this.#used = new PackedPosition(size);
    this.#chainLengths = new Uint16Array(size);
    this.#checkPlacement(options);
  }

  get isInPlace(): boolean {
    return this.#ring.isInPlace;
  }

  pop(chain: DescriptorChain): boolean {
    if (!this.isReady() || !this.#hasAvailable()) return false;
    const available = this.#available;
    const room = this.size - this.#inFlight;
    const length = this.#walker.walk(available, this.#headTail, room, chain);
    if (length === 0) return this.fail(this.#walker.reason);
    const id = chain.head;
    if (id >= this.size) return this.fail(`buffer ID ${id} is beyond the queue`);
    if (this.#chainLengths[id] !== 0) return this.fail(`buffer ID ${id} is in use`);
    this.#chainLengths[id] = length;
    this.#inFlight += length;
    available.advance(length);
    // Where memory is reached by messages, the driver may have taken the queue back meanwhile.
    return !this.broken;
  }

  /** @throws VirtioError `NOT_POPPED` when the device does not have this buffer */
  pushUsed(head: number, length: number): void {
    if (!this.isReady()) return;
    const { offset } = this.#used;
    this.#publishUsed(offset, this.#storeUsed(head, length));
  }

  /** @throws VirtioError `NOT_POPPED` when the device does not have one of the buffers */
  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    if (count === 0 || !this.isReady()) return;
    const first = this.#used.offset;
    const firstTail = this.#storeUsed(heads[0]!, lengths[0]!);
    for (let index = 1; index < count; index += 1) {
      const { offset } = this.#used;
      this.#words[this.#start + 4 * offset + 3] = this.#storeUsed(heads[index]!, lengths[index]!);
      if (!this.#isInPlace) this.#flush(offset, DESC_TAIL);
    }
    // The driver waits for the first one: it sees those behind it when it sees that.
    this.#publishUsed(first, firstTail);
  }

  /** Stores the next used descriptor but for its last four bytes, which say that it is used, and gives these back. */
  #storeUsed(head: number, length: number): number {
    const chainLength = this.#chainLengths[head] ?? 0;
    if (chainLength === 0) return this.#refuseHead(head);
    this.#chainLengths[head] = 0;
    this.#inFlight -= chainLength;
    this.#unsignalled += chainLength;
    const used = this.#used;
    // "In a used descriptor, this bit is used to specify whether any data has been written by the device"
    const flags = used.usedFlags | (length > 0 ? VIRTQ_DESC_F_WRITE : 0);
    this.#words[this.#start + 4 * used.offset + 2] = length;
    if (!this.#isInPlace) this.#flush(used.offset, DESC_LEN);
    // "The device only writes out a single used descriptor for the whole list. It then skips forward"
    used.advance(chainLength);
    return (flags << TAIL_FLAGS_SHIFT) | head;
  }

  #refuseHead(head: number): never {
    throw new VirtioError(
      'NOT_POPPED',
      `queue ${this.index}: buffer ${head} was not popped, or pushed before; push each once`,
    );
  }

  #flush(index: number, field: number): void {
    if (!this.#ring.flush(index * DESC_SIZE + field, 4)) {
      this.fail('the descriptor ring is not in memory');
    }
  }

  #publishUsed(index: number, tail: number): void {
    const at = this.#start + 4 * index + 3;
    // The driver looks at the flags first: the store publishes all stores before it.
    if (this.#isShared) Atomics.store(this.#words, at, tail);
    else this.#words[at] = tail;
    if (!this.#isInPlace) this.#flushTail(index);
  }

  #flushTail(index: number): void {
    if (!this.broken && !this.#ring.flushShared(index * DESC_SIZE + DESC_TAIL, 4)) {
      this.fail('the descriptor ring is not in memory');
    }
  }

  shouldInterrupt(): boolean {
    const count = this.#unsignalled;
    this.#unsignalled = 0;
    if (count === 0 || !this.isReady()) return false;
    if (!this.#isInPlace && !this.#driverEvent.fetchShared(0, 4)) {
      return this.fail('the driver area is not in memory');
    }
    // The flags were stored and the driver's wish is loaded in one total order, so that not both sides go to sleep.
    const words = this.#eventWords;
    const at = this.#eventStart;
    const event = this.#isShared ? Atomics.load(words, at) : words[at]!;
    this.#interruptWish = event;
    return isEventWanted(event, this.#used, this.size, count, this.#eventIdx) && !this.broken;
  }

  disableNotifications(): void {
    this.#storeWish(eventSuppression(RING_EVENT_FLAGS_DISABLE));
  }

  enableNotifications(): boolean {
    this.#storeWish(
      this.#eventIdx
        ? eventSuppression(RING_EVENT_FLAGS_DESC, this.#available.offsetAndWrap)
        : eventSuppression(RING_EVENT_FLAGS_ENABLE),
    );
    // Looked at again after the wish is out: what came before the driver could see it gets no kick.
    return this.isReady() && this.#hasAvailable();
  }

  #storeWish(event: number): void {
    if (!this.isReady()) return;
    this.#kickWish = event;
    const { words, start } = this.#deviceEvent;
    if (this.#isShared) Atomics.store(words, start, event);
    else words[start] = event;
    if (!this.#isInPlace && !this.#deviceEvent.flushShared(0, 4)) {
      this.fail('the device area is not in memory');
    }
  }

  #hasAvailable(): boolean {
    const { offset, availableFlags } = this.#available;
    if (!this.#isInPlace && !this.#ring.fetchShared(offset * DESC_SIZE + DESC_TAIL, 4)) {
      return this.fail('the descriptor ring is not in memory');
    }
    // What the driver wrote before it set the flags is visible after this load, the ID in the same word included.
    const at = this.#start + 4 * offset + 3;
    const tail = this.#isShared ? Atomics.load(this.#words, at) : this.#words[at]!;
    this.#headTail = tail;
    const isAvailable = ((tail >>> TAIL_FLAGS_SHIFT) & AVAIL_AND_USED) === availableFlags;
    // Where memory is reached by messages, the driver may have taken the queue back meanwhile.
    return isAvailable && !this.broken;
  }

  state(): PackedRingState {
    return {
      layout: 'packed',
      broken: this.broken,
      inFlight: this.#inFlight,
      available: this.#available.offsetAndWrap,
      used: this.#used.offsetAndWrap,
      kicks: wishOfEvent(this.#kickWish),
      interrupts: wishOfEvent(this.#interruptWish),
    };
  }

  snapshot(): PackedRingSnapshot {
    const buffers: number[] = [];
    for (const [id, length] of this.#chainLengths.entries())
      if (length > 0) buffers.push(id, length);
    return {
      broken: this.broken,
      available: this.#available.offsetAndWrap,
      used: this.#used.offsetAndWrap,
      buffers,
      unsignalled: this.#unsignalled,
    };
  }

  restore(snapshot: SnapshotReader): void {
    this.broken = snapshot.field('broken').boolean();
    this.#restorePosition(this.#available, snapshot.field('available'));
    this.#restorePosition(this.#used, snapshot.field('used'));
    this.#unsignalled = snapshot.field('unsignalled').integer(0, Number.MAX_SAFE_INTEGER);
    const reader = snapshot.field('buffers');
    const buffers = reader.integers(2 * this.size);
    for (let index = 0; index < buffers.length; index += 2) {
      const [id = 0, length = 0] = buffers.slice(index, index + 2);
      const isNew = id < this.size && this.#chainLengths[id] === 0;
      if (!isNew || length < 1 || length > this.size) reader.refuse('has a buffer that cannot be');
      this.#chainLengths[id] = length;
      this.#inFlight += length;
    }
    // What is available and not used yet is what the device has.
    if (this.#available.distanceFrom(this.#used) !== this.#inFlight) {
      reader.refuse('are not the descriptors between used and available');
    }
  }

  #restorePosition(position: PackedPosition, reader: SnapshotReader): void {
    const isThere = position.moveTo(reader.integer(0, 0xffff));
    if (!isThere) reader.refuse('is beyond the queue');
  }

  protected override refresh(): boolean {
    const ring = this.#ring;
    const driverEvent = this.#driverEvent;
    const deviceEvent = this.#deviceEvent;
    if (!ring.refresh() || !driverEvent.refresh() || !deviceEvent.refresh()) return false;
    this.#walker.refresh();
    this.#words = ring.words;
    this.#start = ring.start;
    this.#eventWords = driverEvent.words;
    this.#eventStart = driverEvent.start;
    this.#isInPlace = ring.isInPlace && driverEvent.isInPlace && deviceEvent.isInPlace;
    this.#isShared = this.memory.isShared;
    return true;
  }

  #checkPlacement({ size, descriptorArea, driverArea, deviceArea }: VirtqueueOptions): void {
    // "The Queue Size value does not have to be a power of 2."
    if (!Number.isInteger(size) || size < 1 || size > MAX_QUEUE_SIZE) {
      this.fail(`a queue of ${size} descriptors`);
    } else if (descriptorArea % 16 !== 0 || driverArea % 4 !== 0 || deviceArea % 4 !== 0) {
      this.fail('a part of the ring is misaligned');
    }
  }
}
