/** PackedDriverQueue: the driver's side of a packed virtqueue ("Packed Virtqueues"). */
import { ACCESS_READ, ACCESS_WRITE } from '../memory/guest-memory.ts';
import {
  DESC_LEN,
  DESC_SIZE,
  DESC_TAIL,
  descriptorAreaSize,
  MAX_QUEUE_SIZE,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from '../ring/layout.ts';
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
  TAIL_ID_MASK,
} from '../ring/packed-layout.ts';
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

/** The areas one after the other ("Structure Size and Alignment": 16, 4 and 4 bytes). */
export function packedQueueLayout(size: number): QueueLayout {
  const driverArea = descriptorAreaSize(size);
  const deviceArea = driverArea + EVENT_SIZE;
  return { descriptorArea: 0, driverArea, deviceArea, length: deviceArea + EVENT_SIZE };
}

export class PackedDriverQueue implements DriverQueue {
  readonly size: number;
  readonly addresses: QueueAddresses;
  readonly #options: DriverQueueOptions;
  readonly #ringAddress: number;
  readonly #writer: DescriptorWriter;
  readonly #ring: RingFields;
  readonly #driverEvent: RingFields;
  readonly #deviceEvent: RingFields;
  readonly #eventIdx: boolean;
  readonly #notificationData: boolean;
  /** Where the next descriptor is made available, and where the device uses its next. */
  readonly #available: PackedPosition;
  readonly #used: PackedPosition;
  /** Buffer IDs that no buffer has; the first `#freeIdCount` of them. */
  readonly #freeIds: Uint16Array;
  #freeIdCount: number;
  /** By buffer ID: descriptors that the buffer takes in the ring, 0 when it is not with the device. */
  readonly #chainLengths: Uint16Array;
  readonly #tokens: Float64Array;
  #freeCount: number;
  /** Descriptors made available since the device's wish for kicks was looked at. */
  #unannounced = 0;

  /** Clears the ring. @throws VirtioError `RING_MEMORY` when it does not lie in memory, `QUEUE_SIZE`, `RING_ALIGNMENT` */
  constructor(options: DriverQueueOptions) {
    const { size, memory, address } = options;
    const layout = packedQueueLayout(size);
    const both = ACCESS_READ | ACCESS_WRITE;
    checkQueueSize(size, size >= 1 && size <= MAX_QUEUE_SIZE);
    this.size = size;
    this.#options = options;
    this.addresses = queueAddresses(options, layout);
    this.#eventIdx = options.eventIdx;
    this.#notificationData = options.notificationData ?? false;
    this.#ringAddress = address + layout.descriptorArea;
    this.#writer = new DescriptorWriter(memory);
    this.#ring = new RingFields(memory, this.#ringAddress, descriptorAreaSize(size), both);
    this.#driverEvent = new RingFields(memory, address + layout.driverArea, EVENT_SIZE, both);
    this.#deviceEvent = new RingFields(
      memory,
      address + layout.deviceArea,
      EVENT_SIZE,
      ACCESS_READ,
    );
    this.#available = new PackedPosition(size);
    this.#used = new PackedPosition(size);
    this.#freeIds = new Uint16Array(size).map((_, index) => size - 1 - index);
    this.#freeIdCount = size;
    this.#chainLengths = new Uint16Array(size);
    this.#tokens = new Float64Array(size);
    this.#freeCount = size;
    clearQueue(options, layout);
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  get next(): number | undefined {
    return this.#notificationData ? this.#available.offsetAndWrap : undefined;
  }

  add(
    readable: readonly BufferSegment[],
    writable: readonly BufferSegment[],
    token: number,
  ): boolean {
    const count = segmentCount(readable, writable);
    if (count > this.#freeCount) return false;
    const id = this.#takeId(count, token);
    const headOffset = this.#available.offset * DESC_SIZE;
    let headTail = 0;
    for (let position = 0; position < count; position += 1) {
      const next = position + 1 < count ? VIRTQ_DESC_F_NEXT : 0;
      const flags = this.#available.availableFlags | next | directionFlag(readable, position);
      const tail = (flags << TAIL_FLAGS_SHIFT) | id;
      const target = this.#ringAddress + this.#available.offset * DESC_SIZE;
      const { address, length } = segmentAt(readable, writable, position);
      // "The driver always makes the first descriptor in the list available after the rest of the list has been written"
      if (position === 0) headTail = tail;
      this.#writer.write(target, address, length, tail, position === 0 ? DESC_TAIL : DESC_SIZE);
      this.#available.advance(1);
    }
    this.#makeAvailable(headOffset, headTail);
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
      const tail = directionFlag(readable, position) << TAIL_FLAGS_SHIFT;
      this.#writer.write(table.address + position * DESC_SIZE, address, length, tail);
    }
    const id = this.#takeId(1, token);
    const offset = this.#available.offset * DESC_SIZE;
    const flags = this.#available.availableFlags | VIRTQ_DESC_F_INDIRECT;
    const { deviceAddress } = table;
    const target = this.#ringAddress + offset;
    this.#writer.write(target, deviceAddress, count * DESC_SIZE, 0, DESC_TAIL);
    this.#available.advance(1);
    this.#makeAvailable(offset, (flags << TAIL_FLAGS_SHIFT) | id);
    return true;
  }

  shouldNotify(): boolean {
    const count = this.#unannounced;
    this.#unannounced = 0;
    if (count === 0) return false;
    this.#ready();
    const event = this.#deviceEvent.loadShared32(0);
    return isEventWanted(event, this.#available, this.size, count, this.#eventIdx);
  }

  takeUsed(out: UsedBuffer): boolean {
    this.#ready();
    const offset = this.#used.offset * DESC_SIZE;
    const tail = this.#ring.loadShared32(offset + DESC_TAIL);
    const flags = tail >>> TAIL_FLAGS_SHIFT;
    if ((flags & AVAIL_AND_USED) !== this.#used.usedFlags) return false;
    const id = tail & TAIL_ID_MASK;
    const count = this.#chainLengths[id] ?? 0;
    if (count === 0) throw wrongBuffer(id);
    out.token = this.#tokens[id]!;
    // "Element Length is reserved for used descriptors without the VIRTQ_DESC_F_WRITE flag, and is ignored by drivers."
    out.length =
      (flags & VIRTQ_DESC_F_WRITE) === 0 ? 0 : this.#ring.load32(offset + DESC_LEN) >>> 0;
    this.#chainLengths[id] = 0;
    this.#freeIds[this.#freeIdCount] = id;
    this.#freeIdCount += 1;
    this.#freeCount += count;
    this.#used.advance(count);
    return true;
  }

  enableInterrupts(enabled: boolean): void {
    this.#ready();
    this.#driverEvent.storeShared32(0, this.#wish(enabled));
  }

  #wish(interrupts: boolean): number {
    if (!interrupts) return eventSuppression(RING_EVENT_FLAGS_DISABLE);
    return this.#eventIdx
      ? eventSuppression(RING_EVENT_FLAGS_DESC, this.#used.offsetAndWrap)
      : eventSuppression(RING_EVENT_FLAGS_ENABLE);
  }

  #takeId(count: number, token: number): number {
    this.#freeIdCount -= 1;
    const id = this.#freeIds[this.#freeIdCount]!;
    this.#chainLengths[id] = count;
    this.#tokens[id] = token;
    this.#freeCount -= count;
    this.#unannounced += count;
    return id;
  }

  #makeAvailable(headOffset: number, headTail: number): void {
    this.#ready();
    this.#ring.storeShared32(headOffset + DESC_TAIL, headTail);
  }

  #ready(): void {
    this.#ring.refresh();
    this.#driverEvent.refresh();
    this.#deviceEvent.refresh();
  }
}
