/** PackedVirtqueue: the device's side of a packed virtqueue ("Packed Virtqueues"). */
import { VirtioError } from '../error.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import { ChainReader } from './chain-reader.ts';
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
} from './packed-layout.ts';
import { RingPart } from './ring-part.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class PackedVirtqueue extends DeviceRing {
  readonly #ring: RingPart;
  readonly #driverEvent: RingPart;
  readonly #deviceEvent: RingPart;
  readonly #reader: ChainReader;
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

  constructor(options: VirtqueueOptions) {
    super(options);
    const { size, memory, driverArea, deviceArea } = options;
    const both = ACCESS_READ | ACCESS_WRITE;
    this.#ring = new RingPart(memory, options.descriptorArea, descriptorAreaSize(size), both);
    this.#driverEvent = new RingPart(memory, driverArea, EVENT_SIZE, ACCESS_READ);
    this.#deviceEvent = new RingPart(memory, deviceArea, EVENT_SIZE, both);
    this.#reader = new ChainReader(memory, this.#ring, size, options.indirect);
    this.#walker = new PackedChainWalker(this.#reader);
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
    if (length === 0) return this.fail(this.#reader.reason);
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
    const offset = this.#used.offset * DESC_SIZE;
    this.#publishUsed(offset, this.#storeUsed(head, length));
  }

  /** @throws VirtioError `NOT_POPPED` when the device does not have one of the buffers */
  pushUsedTogether(heads: Uint16Array, lengths: Uint32Array, count: number): void {
    if (count === 0 || !this.isReady()) return;
    const first = this.#used.offset * DESC_SIZE;
    const firstTail = this.#storeUsed(heads[0]!, lengths[0]!);
    for (let index = 1; index < count; index += 1) {
      const offset = this.#used.offset * DESC_SIZE;
      this.#ring.store32(offset + DESC_TAIL, this.#storeUsed(heads[index]!, lengths[index]!));
    }
    // The driver waits for the first one: it sees those behind it when it sees that.
    this.#publishUsed(first, firstTail);
  }

  /** Stores the next used descriptor but for its last four bytes, which say that it is used, and gives these back. */
  #storeUsed(head: number, length: number): number {
    const chainLength = this.#chainLengths[head] ?? 0;
    if (chainLength === 0) {
      throw new VirtioError(
        'NOT_POPPED',
        `queue ${this.index}: buffer ${head} was not popped, or pushed before; push each once`,
      );
    }
    this.#chainLengths[head] = 0;
    this.#inFlight -= chainLength;
    this.#unsignalled += chainLength;
    const used = this.#used;
    // "In a used descriptor, this bit is used to specify whether any data has been written by the device"
    const flags = used.usedFlags | (length > 0 ? VIRTQ_DESC_F_WRITE : 0);
    this.#ring.store32(used.offset * DESC_SIZE + DESC_LEN, length);
    // "The device only writes out a single used descriptor for the whole list. It then skips forward"
    used.advance(chainLength);
    return (flags << TAIL_FLAGS_SHIFT) | head;
  }

  #publishUsed(offset: number, tail: number): void {
    // The driver looks at the flags first: the store below publishes all stores before it.
    this.#ring.storeShared32(offset + DESC_TAIL, tail);
    if (this.#ring.failed) this.fail('the descriptor ring is not in memory');
  }

  shouldInterrupt(): boolean {
    const count = this.#unsignalled;
    this.#unsignalled = 0;
    if (count === 0 || !this.isReady()) return false;
    // The flags were stored and the driver's wish is loaded in one total order, so that not both sides go to sleep.
    const event = this.#driverEvent.loadShared32(0);
    if (this.#driverEvent.failed) return this.fail('the driver area is not in memory');
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
    this.#deviceEvent.storeShared32(0, event);
    if (this.#deviceEvent.failed) this.fail('the device area is not in memory');
  }

  #hasAvailable(): boolean {
    const available = this.#available;
    // What the driver wrote before it set the flags is visible after this load, the ID in the same word included.
    const tail = this.#ring.loadShared32(available.offset * DESC_SIZE + DESC_TAIL);
    if (this.#ring.failed) return this.fail('the descriptor ring is not in memory');
    this.#headTail = tail;
    return ((tail >>> TAIL_FLAGS_SHIFT) & AVAIL_AND_USED) === available.availableFlags;
  }

  protected override refresh(): boolean {
    return this.#ring.refresh() && this.#driverEvent.refresh() && this.#deviceEvent.refresh();
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
