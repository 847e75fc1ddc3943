/** RingSetting: a device under test with one queue to play with, for the cases of deviceRingSuite. */
import { expect } from 'vitest';
import {
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_NEEDS_RESET,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_F_RING_PACKED,
} from '../../device/constants.ts';
import { createDriverQueue } from '../../driver/create-driver-queue.ts';
import type { BufferSegment, DriverQueue } from '../../driver/driver-queue.ts';
import type { QueueAddresses } from '../../driver/driver-transport.ts';
import { initializeDevice } from '../../driver/initialize-device.ts';
import type { DeviceUnderTest } from '../device-under-test.ts';
import { GuestBytes } from '../guest-bytes.ts';
import type { HarmlessRequest } from './harmless-request.ts';
import { RawPackedRing, type RawRing, RawSplitRing } from './raw-ring.ts';

// Offsets in the adapter's place.
const RING = 0;
const OTHER_RINGS = 0x8000;
const OTHER_RING_LENGTH = 0x1000;
const OTHER_RINGS_MAX = 16;
const TABLE = 0x2_0000;
const REQUEST = 0x2_1000;
const ANSWERS = 0x2_8000;
const END = 0x3_0000;
const ANSWERS_LENGTH = END - ANSWERS;
const FILLER = 0xee;
const DEFAULT_ABSENT = 2 ** 44;

/** What a device does with a ring that its driver has broken; the standard leaves it to the device. */
export type BrokenRing = 'needs reset' | 'dropped';

export interface BringUp {
  /** Features to accept beside those of the request and the layout, as a mask. */
  readonly more?: bigint;
  /** 8 by default. */
  readonly size?: number;
  /** What the device is told of the queue, in place of where it is. */
  readonly change?: (addresses: QueueAddresses) => QueueAddresses;
  /** The raw ring is where the device is told; by default where it would be without the change. */
  readonly ringAsTold?: boolean;
  /** The queue is not enabled. */
  readonly withoutQueue?: boolean;
  /** Called when the queues are there, before DRIVER_OK. */
  readonly beforeDriverOk?: () => void;
}

export interface RingAnswer {
  readonly token: number;
  /** Of the used element. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** How a request lies in descriptors: lengths of the first segments of each part; the rest is one more. */
export interface RingSplit {
  readonly readable?: readonly number[];
  readonly writable?: readonly number[];
}

export class RingSetting {
  readonly device: DeviceUnderTest;
  readonly request: HarmlessRequest;
  readonly packed: boolean;
  readonly bytes: GuestBytes;
  readonly onBrokenRing: BrokenRing | undefined;
  readonly offered: bigint;
  queue!: DriverQueue;
  ring!: RawRing;
  readonly #start: number;

  constructor(
    device: DeviceUnderTest,
    request: HarmlessRequest,
    packed: boolean,
    onBrokenRing?: BrokenRing,
  ) {
    this.device = device;
    this.request = request;
    this.packed = packed;
    this.onBrokenRing = onBrokenRing;
    this.bytes = new GuestBytes(device.memory);
    this.offered = device.transport.readDeviceFeatures();
    this.#start = device.place.start;
  }

  close(): void {
    this.device.close?.();
  }

  offers(features: bigint): boolean {
    return (features & ~this.offered) === 0n;
  }

  get tableAddress(): number {
    return this.#start + TABLE;
  }

  get absentAddress(): number {
    return this.device.absentAddress ?? DEFAULT_ABSENT;
  }

  /** Resets the device and brings it up. */
  bringUp(options: BringUp = {}): void {
    const { more = 0n, size = 8, change, ringAsTold, withoutQueue, beforeDriverOk } = options;
    const { transport, memory } = this.device;
    const layout = this.packed ? VIRTIO_F_RING_PACKED : 0n;
    transport.writeStatus(0);
    this.device.takeInterrupt?.(this.request.queue);
    this.device.takeInterrupt?.('config');
    initializeDevice(transport, {
      features: (this.request.features ?? 0n) | layout | more | VIRTIO_F_ACCESS_PLATFORM,
      setUpQueues: (features) => {
        // A driver of the raw kind follows no event index; those of the driver's queue do.
        const count = Math.min(transport.queueCount, OTHER_RINGS_MAX);
        for (let index = 0; index < count; index += 1) {
          const isSubject = index === this.request.queue;
          const address = isSubject
            ? this.#start + RING
            : this.#start + OTHER_RINGS + index * OTHER_RING_LENGTH;
          const most = transport.queueMaxSize(index);
          const wanted = isSubject ? size : 8;
          const queue = createDriverQueue({
            ...{ features, memory, address, size: Math.min(wanted, most) },
          });
          const told = (isSubject && change?.(queue.addresses)) || queue.addresses;
          if (isSubject) this.#take(queue, ringAsTold === true ? told : queue.addresses);
          if (!isSubject || withoutQueue !== true) transport.enableQueue(index, told);
        }
        beforeDriverOk?.();
      },
    });
  }

  /** Another empty queue in place of the one there was. */
  renewQueue(): void {
    const { memory } = this.device;
    const features = this.packed ? VIRTIO_F_RING_PACKED : 0n;
    const { size } = this.queue;
    this.#take(createDriverQueue({ features, memory, address: this.#start + RING, size }));
  }

  #take(queue: DriverQueue, addresses = queue.addresses): void {
    this.queue = queue;
    this.ring = new (this.packed ? RawPackedRing : RawSplitRing)(this.bytes, addresses);
  }

  /** The device-readable, or the device-writable part of a request, in segments. */
  readable(lengths: readonly number[] = []): BufferSegment[] {
    return cut(this.#start + REQUEST, this.request.readable.length, lengths);
  }

  writable(slot = 0, lengths: readonly number[] = []): BufferSegment[] {
    return cut(this.#answerAt(slot), this.request.writable, lengths);
  }

  /** Writes the request, and what the answer overwrites. */
  prepare(slot = 0): void {
    this.bytes.write(this.#start + REQUEST, this.request.readable);
    this.bytes.fill(this.#answerAt(slot), this.request.writable, FILLER);
  }

  /** Makes a request available, without a kick. @returns whether there were descriptors */
  add(slot = 0, split: RingSplit = {}): boolean {
    this.prepare(slot);
    return this.queue.add(this.readable(split.readable), this.writable(slot, split.writable), slot);
  }

  kick(): void {
    this.device.transport.notifyQueue(this.request.queue, this.queue.next);
    this.device.run();
  }

  take(): RingAnswer | undefined {
    const used = { token: -1, length: -1 };
    if (!this.queue.takeUsed(used)) return undefined;
    const bytes = this.bytes.read(this.#answerAt(used.token), this.request.writable);
    return { ...used, bytes };
  }

  /** Takes an answer, which must be there and right. */
  expectAnswer(slot = 0): void {
    const answer = this.take();
    expect(answer, 'the request is not used').toBeDefined();
    const { token, length, bytes } = answer!;
    expect(token, 'another buffer than the one that is due is used').toBe(slot);
    expect(length, 'the used length is wrong').toBe(this.request.usedLength);
    expect(this.request.isAnswer?.(bytes) ?? true, `the answer ${[...bytes]} is wrong`).toBe(true);
  }

  /** Makes a request and takes its answer. */
  exchange(split?: RingSplit): void {
    expect(this.add(0, split), 'the request does not fit into the queue').toBe(true);
    this.kick();
    this.expectAnswer();
  }

  /** Resets the device: it must come up and work. */
  expectRecovery(): void {
    this.device.transport.writeStatus(0);
    expect(this.device.transport.readStatus(), 'the status after a reset').toBe(0);
    this.bringUp();
    this.exchange();
    this.exchange();
    expect(this.needsReset, 'DEVICE_NEEDS_RESET after a reset').toBe(false);
  }

  get needsReset(): boolean {
    return (this.device.transport.readStatus() & VIRTIO_CONFIG_S_NEEDS_RESET) !== 0;
  }

  /**
   * Kicks a queue that was broken. The device may ask for a reset or drop the buffer; it touches nothing that is not its to
   * write, uses no more than `most` buffers, and works after a reset.
   *
   * @param breaksRing false where it is the buffer alone that is wrong
   */
  expectContained(most = 1, breaksRing = true): void {
    const before = this.#image();
    this.kick();
    const after = this.#image();
    expect(
      after.findIndex((words, index) => words !== before[index]),
      'where the device wrote and must not, in units of 8 bytes',
    ).toBe(-1);
    const { needsReset } = this;
    if (breaksRing && this.onBrokenRing !== undefined) {
      expect(needsReset, 'DEVICE_NEEDS_RESET').toBe(this.onBrokenRing === 'needs reset');
    }
    expect(this.ring.usedCount(), 'buffers used').toBeLessThanOrEqual(most);
    // "If DRIVER_OK is set, after it sets DEVICE_NEEDS_RESET, the device MUST send a device configuration change notification"
    const isUp = (this.device.transport.readStatus() & VIRTIO_CONFIG_S_DRIVER_OK) !== 0;
    if (needsReset && isUp && this.device.takeInterrupt !== undefined) {
      expect(this.device.takeInterrupt('config'), 'the interrupt that tells of it').toBe(true);
    }
    this.expectRecovery();
  }

  /** All of the place but what the device may write. */
  #image(): BigUint64Array {
    const bytes = this.bytes.read(this.#start, END);
    for (const [start, length] of this.ring.deviceWritable()) {
      bytes.fill(0, start - this.#start, start - this.#start + length);
    }
    bytes.fill(0, OTHER_RINGS, TABLE);
    bytes.fill(0, ANSWERS, END);
    return new BigUint64Array(bytes.buffer);
  }

  #answerAt(slot: number): number {
    const length = Math.max(64, Math.ceil(this.request.writable / 64) * 64);
    const slots = Math.floor(ANSWERS_LENGTH / length);
    return this.#start + ANSWERS + (slot % slots) * length;
  }
}

function cut(base: number, length: number, lengths: readonly number[]): BufferSegment[] {
  const segments: BufferSegment[] = [];
  let done = 0;
  for (const part of [...lengths, length]) {
    const taken = Math.min(part, length - done);
    if (taken > 0) segments.push({ address: base + done, length: taken });
    done += taken;
  }
  return segments;
}
