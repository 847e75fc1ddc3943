/** SplitDriverQueue: the driver's side of a split virtqueue ("Split Virtqueues"). */
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import {
  DESC_SIZE,
  descriptorAreaSize,
  MAX_QUEUE_SIZE,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
} from '../ring/layout.ts';
import {
  AVAIL_FLAGS,
  AVAIL_IDX,
  AVAIL_RING,
  availRingSize,
  TAIL_NEXT_SHIFT,
  USED_ELEM_SIZE,
  USED_FLAGS,
  USED_IDX,
  USED_RING,
  usedRingSize,
  VIRTQ_AVAIL_F_NO_INTERRUPT,
  VIRTQ_USED_F_NO_NOTIFY,
} from '../ring/split-layout.ts';
import {
  DescriptorWriter,
  directionFlag,
  segmentAt,
  segmentCount,
  tableCount,
} from './descriptor-writer.ts';
import type {
  BufferSegment,
  DriverQueue,
  DriverQueueOptions,
  IndirectTable,
  UsedBuffer,
} from './driver-queue.ts';
import type { QueueAddresses } from './driver-transport.ts';
import {
  checkQueueSize,
  clearQueue,
  type QueueLayout,
  queueAddresses,
  wrongBuffer,
} from './queue-layout.ts';
import { RingFields } from './ring-fields.ts';

/** The parts one after the other, each aligned as the standard asks ("Split Virtqueues": 16, 2 and 4 bytes). */
export function splitQueueLayout(size: number): QueueLayout {
  const driverArea = descriptorAreaSize(size);
  const deviceArea = Math.ceil((driverArea + availRingSize(size)) / 4) * 4;
  return { descriptorArea: 0, driverArea, deviceArea, length: deviceArea + usedRingSize(size) };
}

const WRAP = 0xffff;
const NONE = 0xffff;

export class SplitDriverQueue implements DriverQueue {
  readonly size: number;
  readonly addresses: QueueAddresses;
  readonly #options: DriverQueueOptions;
  readonly #tableAddress: number;
  readonly #writer: DescriptorWriter;
  readonly #avail: RingFields;
  readonly #used: RingFields;
  readonly #eventIdx: boolean;
  readonly #notificationData: boolean;
  readonly #nextFree: Uint16Array;
  readonly #chainLengths: Uint16Array;
  readonly #tokens: Float64Array;
  #firstFree = 0;
  #freeCount: number;
  #availIdx = 0;
  #announcedIdx = 0;
  #usedIdx = 0;

  /** Clears the ring. @throws VirtioError `RING_MEMORY` when it does not lie in memory, `QUEUE_SIZE`, `RING_ALIGNMENT` */
  constructor(options: DriverQueueOptions) {
    const { size, memory, address } = options;
    const layout = splitQueueLayout(size);
    checkQueueSize(size, size >= 1 && size <= MAX_QUEUE_SIZE && (size & (size - 1)) === 0);
    this.size = size;
    this.#options = options;
    this.addresses = queueAddresses(options, layout);
    this.#eventIdx = options.eventIdx;
    this.#notificationData = options.notificationData ?? false;
    this.#tableAddress = address + layout.descriptorArea;
    this.#writer = new DescriptorWriter(memory);
    const both = ACCESS_READ | ACCESS_WRITE;
    this.#avail = new RingFields(memory, address + layout.driverArea, availRingSize(size), both);
    this.#used = new RingFields(memory, address + layout.deviceArea, usedRingSize(size), both);
    this.#freeCount = size;
    this.#nextFree = new Uint16Array(size).map((_, index) => (index + 1 < size ? index + 1 : NONE));
    this.#chainLengths = new Uint16Array(size);
    this.#tokens = new Float64Array(size);
    clearQueue(options, layout);
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** "this refers to the 15 least significant bits of the available index", and "the most significant bit (bit 15)" */
  get next(): number | undefined {
    return this.#notificationData ? this.#availIdx : undefined;
  }

  add(
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean {
    const count = segmentCount(readable, writable);
    if (count > this.#freeCount) return false;
    const head = this.#firstFree;
    let index = head;
    for (let position = 0; position < count; position += 1) {
      const next = this.#nextFree[index]!;
      const { address, length } = segmentAt(readable, writable, position);
      const tail = linkTo(position + 1 < count ? next : NONE) | directionFlag(readable, position);
      this.#writer.write(this.#tableAddress + index * DESC_SIZE, address, length, tail);
      index = next;
    }
    this.#firstFree = index;
    this.#makeAvailable(head, count, token);
    return true;
  }

  addIndirect(
    table: IndirectTable,
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean {
    const count = tableCount(this.#options, readable, writable);
    if (this.#freeCount === 0) return false;
    for (let position = 0; position < count; position += 1) {
      const { address, length } = segmentAt(readable, writable, position);
      const next = linkTo(position + 1 < count ? position + 1 : NONE);
      const tail = next | directionFlag(readable, position);
      this.#writer.write(table.address + position * DESC_SIZE, address, length, tail);
    }
    const head = this.#firstFree;
    this.#firstFree = this.#nextFree[head]!;
    const target = this.#tableAddress + head * DESC_SIZE;
    this.#writer.write(target, table.deviceAddress, count * DESC_SIZE, VIRTQ_DESC_F_INDIRECT);
    this.#makeAvailable(head, 1, token);
    return true;
  }

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

  takeUsed(out: UsedBuffer): boolean {
    this.#ready();
    if (this.#used.loadShared16(USED_IDX) === this.#usedIdx) return false;
    const offset = USED_RING + USED_ELEM_SIZE * (this.#usedIdx & (this.size - 1));
    const head = this.#used.load32(offset);
    const count = this.#chainLengths[head] ?? 0;
    if (count === 0) throw wrongBuffer(head);
    out.token = this.#tokens[head]!;
    out.length = this.#used.load32(offset + 4) >>> 0;
    this.#usedIdx = (this.#usedIdx + 1) & WRAP;
    this.#free(head, count);
    return true;
  }

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

  #ready(): void {
    this.#avail.refresh();
    this.#used.refresh();
  }
}

/** The last four bytes of a descriptor: flags, next. */
function linkTo(next: number): number {
  return next === NONE ? 0 : (next << TAIL_NEXT_SHIFT) | VIRTQ_DESC_F_NEXT;
}
