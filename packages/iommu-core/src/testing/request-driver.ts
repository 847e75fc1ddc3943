/** RequestDriver: sends raw requests to an IOMMU device without a ring, and collects its answers and events. */
import {
  ArrayGuestMemory,
  CHAIN_KEPT,
  type DescriptorChain,
  type GuestMemory,
  type Virtqueue,
} from '@viommu/virtqueue';
import type { VirtioDevice } from '@viommu/virtqueue/device';

/** An answer: what the used element says, and what is in the writable part afterwards. */
export interface Answer {
  readonly used: number;
  readonly writable: Uint8Array;
  /** The status in the tail; -1 when nothing was written. */
  readonly status: number;
}

/** How a request lies in descriptors: lengths of the segments of its two parts; the rest is one more segment. */
export interface Split {
  readonly readable?: readonly number[];
  readonly writable?: readonly number[];
}

interface Buffer {
  readonly readable: readonly [address: number, length: number][];
  readonly writable: readonly [address: number, length: number][];
}

const MEMORY_SIZE = 0x20000;
const WRITABLE_BASE = 0x10000;
const EVENT_BASE = 0x18000;
/** INPUT_RANGE, DOMAIN_RANGE, MAP_UNMAP, PROBE, MMIO, BYPASS_CONFIG and VERSION_1. */
const ALL_FEATURES = 0x1_0000_0077n;

/** A queue that hands out what the test put in. */
class ScriptedQueue implements Virtqueue {
  readonly index: number;
  readonly size: number;
  readonly memory: GuestMemory;
  readonly broken = false;
  readonly isInPlace = true;
  readonly available: Buffer[] = [];
  readonly used: number[] = [];

  constructor(index: number, size: number, memory: GuestMemory) {
    this.index = index;
    this.size = size;
    this.memory = memory;
  }

  pop(chain: DescriptorChain): boolean {
    const buffer = this.available.shift();
    if (buffer === undefined) {
      return false;
    }
    const sum = (segments: Buffer['readable']) => segments.reduce((all, [, l]) => all + l, 0);
    [...buffer.readable, ...buffer.writable].forEach(([address, length], index) => {
      chain.addresses[index] = address;
      chain.lengths[index] = length;
    });
    chain.count = buffer.readable.length + buffer.writable.length;
    chain.readableCount = buffer.readable.length;
    chain.readableLength = sum(buffer.readable);
    chain.writableLength = sum(buffer.writable);
    return true;
  }

  pushUsed(_head: number, length: number): void {
    this.used.push(length);
  }

  pushUsedTogether(_heads: Uint16Array, lengths: Uint32Array, count: number): void {
    this.used.push(...lengths.subarray(0, count));
  }

  shouldInterrupt(): boolean {
    return true;
  }

  disableNotifications(): void {}

  enableNotifications(): boolean {
    return this.available.length > 0;
  }
}

export class RequestDriver {
  /** What the device's own queues lie in: requests, answers, event buffers. */
  readonly memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(MEMORY_SIZE) }]);
  /** Queue indices for which the device raised an interrupt. */
  readonly interrupts: number[] = [];
  /** Why the device asked for a reset. */
  readonly needsReset: string[] = [];
  readonly #device: VirtioDevice;
  readonly #requests: ScriptedQueue;
  readonly #events: ScriptedQueue;

  /** Brings the device up. @param features what the driver accepts; all by default */
  constructor(device: VirtioDevice, features = ALL_FEATURES) {
    this.#device = device;
    this.#requests = new ScriptedQueue(0, 256, this.memory);
    this.#events = new ScriptedQueue(1, 64, this.memory);
    this.up(features);
  }

  /** FEATURES_OK and DRIVER_OK. */
  up(features = ALL_FEATURES): void {
    const accepted = features & (this.#device.deviceFeatures | 0x1_0000_0000n);
    this.#device.acceptFeatures?.(accepted);
    this.#device.activate({
      memory: this.memory,
      queues: [this.#requests, this.#events],
      driverFeatures: accepted,
      interrupts: {
        usedBuffer: (queue) => this.interrupts.push(queue),
        configChange: () => {},
      },
      requestService: () => {},
      needsReset: (reason) => this.needsReset.push(reason),
    });
  }

  /** Sends a request as it is; its writable part is filled with 0xee first. */
  send(readable: readonly number[], writableLength = 4, split: Split = {}): Answer {
    this.memory.write(0, Uint8Array.from([...readable, 0]), 0, readable.length + 1);
    const filler = new Uint8Array(writableLength + 1).fill(0xee);
    this.memory.write(WRITABLE_BASE, filler, 0, writableLength + 1);
    this.#requests.available.push({
      readable: cut(0, readable.length, split.readable),
      writable: cut(WRITABLE_BASE, writableLength, split.writable),
    });
    this.#device.notifyQueue(0);
    const used = this.#requests.used.pop() ?? CHAIN_KEPT;
    const writable = new Uint8Array(writableLength);
    if (writableLength > 0) {
      this.memory.read(WRITABLE_BASE, writable, 0, writableLength);
    }
    return { used, writable, status: used > 0 ? (writable[writableLength - 4] ?? -1) : -1 };
  }

  attach(domain: number, endpoint: number, flags = 0): number {
    const fields = [...le32(domain), ...le32(endpoint), ...le32(flags), 0, 0, 0, 0];
    return this.send([1, 0, 0, 0, ...fields]).status;
  }

  detach(domain: number, endpoint: number): number {
    return this.send([2, 0, 0, 0, ...le32(domain), ...le32(endpoint), ...zeroes(8)]).status;
  }

  map(
    domain: number,
    virtStart: bigint | number,
    virtEnd: bigint | number,
    physStart: bigint | number,
    flags = 3,
  ): number {
    const range = [...le64(virtStart), ...le64(virtEnd), ...le64(physStart)];
    return this.send([3, 0, 0, 0, ...le32(domain), ...range, ...le32(flags)]).status;
  }

  unmap(domain: number, virtStart: bigint | number, virtEnd: bigint | number): number {
    const range = [...le64(virtStart), ...le64(virtEnd)];
    return this.send([4, 0, 0, 0, ...le32(domain), ...range, 0, 0, 0, 0]).status;
  }

  probe(endpoint: number, probeSize = 512): Answer {
    return this.send([5, 0, 0, 0, ...le32(endpoint), ...zeroes(64)], probeSize + 4);
  }

  /** Makes a buffer available on the event queue, without a kick. */
  giveEventBuffer(length = 24): void {
    this.#events.available.push({ readable: [], writable: cut(EVENT_BASE, length) });
  }

  /** The last event buffer that came back: `len` of its used element, and its 24 bytes. */
  takeEvent(): { used: number; bytes: Uint8Array } | undefined {
    const used = this.#events.used.pop();
    const bytes = new Uint8Array(24);
    this.memory.read(EVENT_BASE, bytes, 0, 24);
    return used === undefined ? undefined : { used, bytes };
  }
}

export function le32(value: number): number[] {
  return le64(value).slice(0, 4);
}

export function le64(value: bigint | number): number[] {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value), true);
  return [...new Uint8Array(bytes.buffer)];
}

function zeroes(count: number): number[] {
  return new Array<number>(count).fill(0);
}

function cut(base: number, length: number, lengths: readonly number[] = []): [number, number][] {
  const segments: [number, number][] = [];
  let done = 0;
  for (const part of [...lengths, length]) {
    const taken = Math.min(part, length - done);
    if (taken > 0) {
      segments.push([base + done, taken]);
    }
    done += taken;
  }
  return segments;
}
