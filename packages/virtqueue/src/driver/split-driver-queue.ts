/** SplitDriverQueue: the driver's side of a split virtqueue ("Split Virtqueues"). */
import { VirtioError } from '../error.ts';
import { ACCESS_READ, ACCESS_WRITE, type GuestMemory } from '../memory/guest-memory.ts';
import { writeLe64 } from '../memory/le64.ts';
import {
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  availRingSize,
  DESC_ADDR,
  DESC_FLAGS,
  DESC_LEN,
  DESC_NEXT,
  DESC_SIZE,
  descriptorTableSize,
  USED_ELEM_SIZE,
  USED_FLAGS,
  USED_IDX,
  USED_RING,
  usedRingSize,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
  VIRTQ_USED_F_NO_NOTIFY,
} from '../ring/layout.ts';
import { RingPart } from '../ring/ring-part.ts';

/** Offsets of the parts of a ring in one run of memory, and how long that must be; all in bytes. */
export interface SplitQueueLayout {
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  readonly length: number;
}

/** The parts one after the other, each aligned as the standard asks ("Split Virtqueues": 16, 2 and 4 bytes). */
export function splitQueueLayout(size: number): SplitQueueLayout {
  const driverArea = descriptorTableSize(size);
  const deviceArea = Math.ceil((driverArea + availRingSize(size)) / 4) * 4;
  return { descriptorArea: 0, driverArea, deviceArea, length: deviceArea + usedRingSize(size) };
}

/** A buffer as the device will address it. */
export interface BufferSegment {
  readonly address: number;
  /** Bytes. */
  readonly length: number;
}

/** Filled by {@link SplitDriverQueue.takeUsed}. */
export interface UsedBuffer {
  /** What was given to `add`. */
  token: number;
  /** Bytes that the device wrote. */
  length: number;
}

export interface SplitDriverQueueOptions {
  readonly size: number;
  /** The memory in which the driver itself sees the ring. */
  readonly memory: GuestMemory;
  /** Address of a ring laid out by {@link splitQueueLayout} in `memory`; the device may know it by another one. */
  readonly address: number;
  /** VIRTIO_F_EVENT_IDX was negotiated. */
  readonly eventIdx: boolean;
}

const WRAP = 0xffff;
const NONE = 0xffff;

export class SplitDriverQueue {
  readonly size: number;
  readonly #memory: GuestMemory;
  readonly #tableAddress: number;
  readonly #avail: RingPart;
  readonly #used: RingPart;
  readonly #eventIdx: boolean;
  readonly #nextFree: Uint16Array;
  readonly #chainLengths: Uint16Array;
  readonly #tokens: Float64Array;
  readonly #descriptor = new Uint8Array(DESC_SIZE);
  readonly #descriptorView = new DataView(this.#descriptor.buffer);
  #firstFree = 0;
  #freeCount: number;
  #availIdx = 0;
  #announcedIdx = 0;
  #usedIdx = 0;

  /** Clears the ring. @throws VirtioError `RING_MEMORY` when it does not lie in memory */
  constructor(options: SplitDriverQueueOptions) {
    const { size, memory, address } = options;
    const layout = splitQueueLayout(size);
    this.size = size;
    this.#memory = memory;
    this.#eventIdx = options.eventIdx;
    this.#tableAddress = address + layout.descriptorArea;
    const both = ACCESS_READ | ACCESS_WRITE;
    this.#avail = new RingPart(memory, address + layout.driverArea, availRingSize(size), both);
    this.#used = new RingPart(memory, address + layout.deviceArea, usedRingSize(size), both);
    this.#freeCount = size;
    this.#nextFree = new Uint16Array(size).map((_, index) => (index + 1 < size ? index + 1 : NONE));
    this.#chainLengths = new Uint16Array(size);
    this.#tokens = new Float64Array(size);
    if (!memory.write(address, new Uint8Array(layout.length), 0, layout.length)) this.#outside();
  }

  /** Descriptors that are not in use. */
  get freeCount(): number {
    return this.#freeCount;
  }

  /**
   * Makes a buffer available; the device sees it at once, and is told by a kick if {@link shouldNotify} says so.
   *
   * @param token a number that {@link takeUsed} gives back
   * @returns false when there are not enough free descriptors
   */
  add(
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean {
    const count = readable.length + writable.length;
    if (count === 0) throw new VirtioError('EMPTY_BUFFER', 'a buffer needs at least one segment');
    if (count > this.#freeCount) return false;
    const head = this.#firstFree;
    let index = head;
    for (let position = 0; position < count; position += 1) {
      const isWritable = position >= readable.length;
      const segment = isWritable ? writable[position - readable.length]! : readable[position]!;
      const next = this.#nextFree[index]!;
      const isLast = position === count - 1;
      const flags = (isWritable ? VIRTQ_DESC_F_WRITE : 0) | (isLast ? 0 : VIRTQ_DESC_F_NEXT);
      this.#writeDescriptor(index, segment.address, segment.length, flags, isLast ? 0 : next);
      index = next;
    }
    this.#firstFree = index;
    this.#makeAvailable(head, count, token);
    return true;
  }

  /**
   * Makes a buffer available through an indirect table that the caller has filled (VIRTIO_F_INDIRECT_DESC).
   *
   * @param length of the table in bytes
   */
  addIndirect(tableAddress: number, length: number, token: number): boolean {
    if (this.#freeCount === 0) return false;
    const head = this.#firstFree;
    this.#firstFree = this.#nextFree[head]!;
    this.#writeDescriptor(head, tableAddress, length, VIRTQ_DESC_F_INDIRECT, 0);
    this.#makeAvailable(head, 1, token);
    return true;
  }

  /** Whether the device wants a kick for what was added since the last call. */
  shouldNotify(): boolean {
    const old = this.#announcedIdx;
    const now = this.#availIdx;
    this.#announcedIdx = now;
    if (old === now) return false;
    if (!this.#eventIdx)
      return (this.#used.loadShared16(USED_FLAGS) & VIRTQ_USED_F_NO_NOTIFY) === 0;
    const availEvent = this.#used.loadShared16(USED_RING + USED_ELEM_SIZE * this.size);
    return ((now - availEvent - 1) & WRAP) < ((now - old) & WRAP);
  }

  /**
   * Takes the next used buffer.
   *
   * @returns false when there is none
   * @throws VirtioError `USED_ELEMENT` when the device gives back what was not available
   */
  takeUsed(out: UsedBuffer): boolean {
    this.#ready();
    if (this.#used.loadShared16(USED_IDX) === this.#usedIdx) return false;
    const offset = USED_RING + USED_ELEM_SIZE * (this.#usedIdx & (this.size - 1));
    const head = this.#used.load32(offset);
    const count = this.#chainLengths[head] ?? 0;
    if (count === 0) {
      throw new VirtioError(
        'USED_ELEMENT',
        `the device used buffer ${head}, which it was not given`,
      );
    }
    out.token = this.#tokens[head]!;
    out.length = this.#used.load32(offset + 4);
    this.#usedIdx = (this.#usedIdx + 1) & WRAP;
    this.#free(head, count);
    return true;
  }

  /** Asks the device for an interrupt per buffer, or for none. */
  enableInterrupts(enabled: boolean): void {
    this.#ready();
    if (this.#eventIdx) {
      // An event index that is far behind is never passed.
      const event = enabled ? this.#usedIdx : (this.#usedIdx - 1) & WRAP;
      this.#avail.storeShared16(AVAIL_RING + 2 * this.size, event);
    } else {
      this.#avail.storeShared16(AVAIL_FLAGS, enabled ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
  }

  #makeAvailable(head: number, count: number, token: number): void {
    this.#ready();
    this.#freeCount -= count;
    this.#chainLengths[head] = count;
    this.#tokens[head] = token;
    const slot = this.#availIdx & (this.size - 1);
    this.#avail.store16(AVAIL_RING + 2 * slot, head);
    this.#availIdx = (this.#availIdx + 1) & WRAP;
    this.#avail.storeShared16(AVAIL_IDX, this.#availIdx);
  }

  #free(head: number, count: number): void {
    let last = head;
    for (let position = 1; position < count; position += 1) last = this.#nextFree[last]!;
    this.#nextFree[last] = this.#firstFree;
    this.#firstFree = head;
    this.#freeCount += count;
    this.#chainLengths[head] = 0;
  }

  #writeDescriptor(
    index: number,
    address: number,
    length: number,
    flags: number,
    next: number,
  ): void {
    const view = this.#descriptorView;
    writeLe64(view, DESC_ADDR, address);
    view.setUint32(DESC_LEN, length, true);
    view.setUint16(DESC_FLAGS, flags, true);
    view.setUint16(DESC_NEXT, next, true);
    const target = this.#tableAddress + index * DESC_SIZE;
    if (!this.#memory.write(target, this.#descriptor, 0, DESC_SIZE)) this.#outside();
  }

  #ready(): void {
    if (!this.#avail.refresh() || !this.#used.refresh()) this.#outside();
  }

  #outside(): never {
    throw new VirtioError(
      'RING_MEMORY',
      'the ring is not in memory; place all of it inside one region',
    );
  }
}
