/** TransmitQueue: takes the driver's frames to the network ("Packet Transmission"). */
import {
  createDescriptorChain,
  type DescriptorChain,
  type QueuePoll,
  readChain,
  type Virtqueue,
} from '@viommu/virtqueue';
import type { DeviceContext } from '@viommu/virtqueue/device';
import { completeChecksum } from './checksum.ts';
import type { NetBackend, NetFrame } from './net-backend.ts';
import {
  ETHERNET_HEADER_SIZE,
  NET_HDR_CSUM_OFFSET,
  NET_HDR_CSUM_START,
  NET_HDR_FLAGS,
  NET_HDR_GSO_TYPE,
  NET_HDR_SIZE,
  VIRTIO_NET_F_CSUM,
  VIRTIO_NET_HDR_F_NEEDS_CSUM,
  VIRTIO_NET_HDR_GSO_NONE,
} from './net-constants.ts';
import type { NetCounters } from './net-counters.ts';

/** Frames per turn: the longest ones still take a short time for other devices to wait. */
const BUDGET = 64;

export class TransmitQueue {
  readonly #backend: NetBackend;
  readonly #counters: NetCounters;
  readonly #poll: QueuePoll;
  readonly #chain: DescriptorChain;
  readonly #header = new Uint8Array(NET_HDR_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #frame: NetFrame = { bytes: this.#header, offset: 0, length: 0 };

  constructor(backend: NetBackend, counters: NetCounters, queueSize: number, poll: QueuePoll) {
    this.#poll = poll;
    this.#backend = backend;
    this.#counters = counters;
    this.#chain = createDescriptorChain(queueSize);
  }

  /**
   * @param linkUp without a link the driver's buffers are used all the same, and nothing is sent
   * @returns true when buffers are left that could be sent, or are expected while the queue is polled
   */
  service(queue: Virtqueue, context: DeviceContext, linkUp: boolean): boolean {
    const backend = this.#backend;
    const canTake = () => !linkUp || backend.canSend;
    let left = BUDGET;
    let more: boolean;
    // What the network did not take the last time goes first.
    backend.flush();
    queue.disableNotifications();
    do {
      while (left > 0 && canTake() && queue.pop(this.#chain)) {
        this.#send(context, linkUp);
        queue.pushUsed(this.#chain.head, 0);
        left -= 1;
      }
      more = true;
      if (left > 0 && canTake() && this.#poll.goesOn(queue, left < BUDGET)) break;
      more = queue.enableNotifications();
    } while (more && left > 0 && canTake());
    backend.flush();
    if (queue.shouldInterrupt()) context.interrupts.usedBuffer(queue.index);
    return more && canTake();
  }

  #send(context: DeviceContext, linkUp: boolean): void {
    const length = this.#chain.readableLength - NET_HDR_SIZE;
    if (linkUp && this.#hasSendableLength(length) && this.#prepare(context, length)) {
      this.#backend.commit();
      this.#counters.sentFrames += 1;
      this.#counters.sentBytes += length;
    } else {
      this.#counters.sendDrops += 1;
    }
  }

  #hasSendableLength(length: number): boolean {
    return length >= ETHERNET_HEADER_SIZE && length <= this.#backend.largestFrame;
  }

  /** @returns false when memory refused, or the header asks for what cannot be done */
  #prepare({ memory, driverFeatures }: DeviceContext, length: number): boolean {
    const chain = this.#chain;
    const frame = this.#frame;
    if (readChain(memory, chain, 0, this.#header, 0, NET_HDR_SIZE) !== NET_HDR_SIZE) return false;
    // "If none of the VIRTIO_NET_F_HOST_TSO4, TSO6, USO or UFO options have been negotiated, the driver MUST set gso_type to
    // VIRTIO_NET_HDR_GSO_NONE."
    if (this.#header[NET_HDR_GSO_TYPE] !== VIRTIO_NET_HDR_GSO_NONE) return false;
    this.#backend.reserve(length, frame);
    const { bytes, offset } = frame;
    if (readChain(memory, chain, NET_HDR_SIZE, bytes, offset, length) !== length) return false;
    const needsChecksum = (this.#header[NET_HDR_FLAGS]! & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
    if (!needsChecksum || (driverFeatures & VIRTIO_NET_F_CSUM) === 0n) return true;
    const start = this.#headerView.getUint16(NET_HDR_CSUM_START, true);
    const place = start + this.#headerView.getUint16(NET_HDR_CSUM_OFFSET, true);
    return completeChecksum(bytes, offset, length, start, place);
  }
}
