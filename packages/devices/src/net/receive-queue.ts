/** ReceiveQueue: takes frames from the network to the driver's buffers ("Processing of Incoming Packets"). */
import {
  createDescriptorChain,
  type DescriptorChain,
  type GuestMemory,
  type Virtqueue,
  writeChain,
} from '@viommu/virtqueue';
import type { DeviceContext } from '@viommu/virtqueue/device';
import { type SnapshotReader, toHex } from '@viommu/virtqueue/snapshot';
import type { NetBackend, NetFrame } from './net-backend.ts';
import {
  ETHERNET_HEADER_SIZE,
  ETHERTYPE,
  NET_HDR_NUM_BUFFERS,
  NET_HDR_SIZE,
  VIRTIO_NET_F_MRG_RXBUF,
  VIRTIO_NET_F_MTU,
  VLAN_ETHERTYPE,
  VLAN_TAG_SIZE,
} from './net-constants.ts';
import type { NetCounters } from './net-counters.ts';

/** What became of the frame at hand. */
const PLACED = 0;
const DROPPED = 1;
/** The driver has no buffer for the rest of it; the frame stays at hand. */
const STARVED = 2;

/** No network here has longer ones, with the header in front. */
const LONGEST_FRAME = 1 << 20;

/** A frame that waits for buffers of the driver. */
export interface FrameSnapshot {
  /** Header and frame, as text. */
  readonly bytes: string;
  /** How many of them lie in buffers of the driver. */
  readonly placed: number;
  /** The buffers that it takes so far. */
  readonly heads: readonly number[];
  /** What was written into each. */
  readonly lengths: readonly number[];
  /** Address and length of each segment of the first, which holds the header. */
  readonly first: readonly number[];
}

export class ReceiveQueue {
  readonly #backend: NetBackend;
  readonly #counters: NetCounters;
  readonly #mtu: number;
  readonly #frame: NetFrame = { bytes: new Uint8Array(0), offset: 0, length: 0 };
  /** Whether a frame is at hand, with its header in front. */
  #hasFrame = false;
  /** Bytes of header and frame that lie in buffers of the driver. */
  #placed = 0;
  /** The buffers that the frame takes, and what was written into each. */
  #count = 0;
  readonly #heads: Uint16Array;
  readonly #lengths: Uint32Array;
  /** The first of them holds the header, which is complete only when the last is known. */
  readonly #first: DescriptorChain;
  readonly #next: DescriptorChain;
  readonly #numBuffers = new Uint8Array(2);

  /** @param mtu of the configuration; any when it has none */
  constructor(backend: NetBackend, counters: NetCounters, queueSize: number, mtu: number) {
    this.#backend = backend;
    this.#counters = counters;
    this.#mtu = mtu;
    this.#heads = new Uint16Array(queueSize);
    this.#lengths = new Uint32Array(queueSize);
    this.#first = createDescriptorChain(queueSize);
    this.#next = createDescriptorChain(queueSize);
  }

  /**
   * @param linkUp without a link, frames from the network are dropped
   * @returns true when frames are left for which there may be buffers
   */
  service(queue: Virtqueue, context: DeviceContext, linkUp: boolean): boolean {
    // A ring's worth of buffers, or as many frames that need none.
    let left = queue.size;
    let outcome = PLACED;
    queue.disableNotifications();
    while (left > 0 && this.#take()) {
      outcome = linkUp ? this.#place(queue, context) : DROPPED;
      if (outcome === STARVED) break;
      left -= Math.max(this.#count, 1);
      this.#giveBack(queue, outcome === PLACED);
    }
    if (queue.shouldInterrupt()) context.interrupts.usedBuffer(queue.index);
    // Only a frame that waits for buffers makes use of a kick.
    return outcome === STARVED ? queue.enableNotifications() : left <= 0;
  }

  /** The buffers that were taken are gone, and with them what was written of the frame at hand. */
  reset(): void {
    if (this.#hasFrame) this.#counters.receiveDrops += 1;
    this.#hasFrame = false;
    this.#count = 0;
  }

  /** Heads of the buffers that the frame at hand takes so far. */
  get heads(): readonly number[] {
    return [...this.#heads.subarray(0, this.#count)];
  }

  /** null when there is none at hand. */
  snapshot(): FrameSnapshot | null {
    if (!this.#hasFrame) return null;
    const { bytes, offset, length } = this.#frame;
    const count = this.#count;
    return {
      bytes: toHex(bytes.subarray(offset - NET_HDR_SIZE, offset + length)),
      placed: this.#placed,
      heads: this.heads,
      lengths: [...this.#lengths.subarray(0, count)],
      first: count === 0 ? [] : segmentsOf(this.#first),
    };
  }

  /** @returns what brings the frame back @throws VirtioError `SNAPSHOT` */
  prepareRestore(snapshot: SnapshotReader): () => void {
    const bytes = snapshot.field('bytes').bytes(LONGEST_FRAME, NET_HDR_SIZE);
    const placed = snapshot.field('placed').integer(0, bytes.length);
    const queueSize = this.#heads.length;
    const heads = snapshot.field('heads').integers(queueSize);
    const lengths = snapshot.field('lengths').integers(queueSize);
    const isWhole = heads.length === lengths.length && heads.every((head) => head < queueSize);
    if (!isWhole || sumOf(lengths) !== placed) snapshot.refuse('has not the buffers that it takes');
    const first = snapshot.field('first');
    const segments = first.integers(2 * queueSize);
    if (segments.length % 2 !== 0 || segments.length > 0 !== heads.length > 0) {
      first.refuse('is not the first buffer');
    }
    return () => {
      this.#frame.bytes = bytes;
      this.#frame.offset = NET_HDR_SIZE;
      this.#frame.length = bytes.length - NET_HDR_SIZE;
      this.#hasFrame = true;
      this.#placed = placed;
      this.#count = heads.length;
      this.#heads.set(heads);
      this.#lengths.set(lengths);
      makeWritable(this.#first, segments);
    };
  }

  /** @returns true when a frame is at hand: one that waits, or the next from the network */
  #take(): boolean {
    if (this.#hasFrame) return true;
    const frame = this.#frame;
    if (!this.#backend.receive(frame)) return false;
    // "If VIRTIO_NET_F_GUEST_CSUM is not negotiated, the device MUST set flags to zero"; no other field has a meaning then.
    frame.bytes.fill(0, frame.offset - NET_HDR_SIZE, frame.offset);
    frame.bytes[frame.offset - NET_HDR_SIZE + NET_HDR_NUM_BUFFERS] = 1;
    this.#hasFrame = true;
    this.#placed = 0;
    return true;
  }

  #place(queue: Virtqueue, { memory, driverFeatures }: DeviceContext): number {
    const { bytes, offset, length } = this.#frame;
    const total = NET_HDR_SIZE + length;
    const isMergeable = (driverFeatures & VIRTIO_NET_F_MRG_RXBUF) !== 0n;
    if ((driverFeatures & VIRTIO_NET_F_MTU) !== 0n && !this.#fitsMtu()) return DROPPED;
    while (this.#placed < total) {
      // "The device MUST use only a single descriptor if VIRTIO_NET_F_MRG_RXBUF was not negotiated."
      // No buffer comes any more when all that fit into the queue were taken.
      if (this.#count === (isMergeable ? queue.size : 1)) return DROPPED;
      const chain = this.#count === 0 ? this.#first : this.#next;
      if (!queue.pop(chain)) return STARVED;
      const run = Math.min(chain.writableLength, total - this.#placed);
      const isFirst = this.#count === 0;
      this.#heads[this.#count] = chain.head;
      this.#lengths[this.#count] = run;
      this.#count += 1;
      if (isFirst && run < NET_HDR_SIZE) return DROPPED;
      const from = offset - NET_HDR_SIZE + this.#placed;
      if (writeChain(memory, chain, 0, bytes, from, run) !== run) return DROPPED;
      this.#placed += run;
    }
    return this.#count <= 1 || this.#writeNumBuffers(memory) ? PLACED : DROPPED;
  }

  /** "The device MUST NOT pass received packets that exceed mtu (plus low level ethernet header length) size" */
  #fitsMtu(): boolean {
    const { bytes, offset, length } = this.#frame;
    const type = (bytes[offset + ETHERTYPE]! << 8) | bytes[offset + ETHERTYPE + 1]!;
    const headerSize = ETHERNET_HEADER_SIZE + (type === VLAN_ETHERTYPE ? VLAN_TAG_SIZE : 0);
    return length <= this.#mtu + headerSize;
  }

  #writeNumBuffers(memory: GuestMemory): boolean {
    this.#numBuffers[0] = this.#count & 0xff;
    this.#numBuffers[1] = this.#count >>> 8;
    return writeChain(memory, this.#first, NET_HDR_NUM_BUFFERS, this.#numBuffers, 0, 2) === 2;
  }

  /** Ends the frame at hand. Buffers of one that was dropped go back empty. */
  #giveBack(queue: Virtqueue, placed: boolean): void {
    const count = this.#count;
    this.#hasFrame = false;
    this.#count = 0;
    if (placed) {
      this.#counters.receivedFrames += 1;
      this.#counters.receivedBytes += this.#frame.length;
    } else {
      this.#counters.receiveDrops += 1;
      this.#lengths.fill(0, 0, count);
    }
    // "The device MUST use all buffers used by a single receive packet together"
    if (count === 1) queue.pushUsed(this.#heads[0]!, this.#lengths[0]!);
    else if (count > 1) queue.pushUsedTogether(this.#heads, this.#lengths, count);
  }
}

function segmentsOf(chain: DescriptorChain): number[] {
  const segments: number[] = [];
  for (let index = chain.readableCount; index < chain.count; index += 1) {
    segments.push(chain.addresses[index]!, chain.lengths[index]!);
  }
  return segments;
}

function makeWritable(chain: DescriptorChain, segments: readonly number[]): void {
  chain.count = segments.length / 2;
  chain.readableCount = 0;
  chain.readableLength = 0;
  chain.writableLength = 0;
  for (let index = 0; index < chain.count; index += 1) {
    chain.addresses[index] = segments[2 * index]!;
    chain.lengths[index] = segments[2 * index + 1]!;
    chain.writableLength += chain.lengths[index]!;
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
