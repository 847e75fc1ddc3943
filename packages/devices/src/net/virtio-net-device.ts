/** VirtioNetDevice: a virtio-net with one pair of queues on any backend ("Network Device"). */
import { QueuePoll, VirtioError } from '@viommu/virtqueue';
import {
  type AccessWidth,
  type DeviceContext,
  VIRTIO_F_ACCESS_PLATFORM,
  VIRTIO_ID_NET,
  type VirtioDevice,
} from '@viommu/virtqueue/device';
import type { RestoredDriver, SnapshotReader } from '@viommu/virtqueue/snapshot';
import { readConfigBytes } from '../config-bytes.ts';
import type { NetBackend, NetBackendListener } from './net-backend.ts';
import {
  ETHERNET_HEADER_SIZE,
  MAC_SIZE,
  NET_CONFIG_MAC,
  NET_CONFIG_MTU,
  NET_CONFIG_SIZE,
  NET_CONFIG_STATUS,
  RECEIVEQ,
  TRANSMITQ,
  VIRTIO_NET_F_CSUM,
  VIRTIO_NET_F_MAC,
  VIRTIO_NET_F_MRG_RXBUF,
  VIRTIO_NET_F_MTU,
  VIRTIO_NET_F_STATUS,
  VIRTIO_NET_S_LINK_UP,
} from './net-constants.ts';
import { createNetCounters, type NetCounters } from './net-counters.ts';
import { type FrameSnapshot, ReceiveQueue } from './receive-queue.ts';
import { TransmitQueue } from './transmit-queue.ts';

export interface VirtioNetDeviceOptions {
  readonly backend: NetBackend;
  /** 6 bytes; not a multicast address. */
  readonly mac: Uint8Array;
  /** The largest packet in bytes, without the Ethernet header: 68 to 65535. Not told to the driver by default. */
  readonly mtu?: number;
  /** Descriptors of each queue, a power of two; 256 by default. */
  readonly queueSize?: number;
  /** How long the transmitq is polled at most when it has run empty; 0 by default, which is right for a driver in the same thread. */
  readonly pollMicroseconds?: number;
}

/** What a network device keeps beside registers and rings. */
export interface NetSnapshot {
  readonly version: 1;
  /** The field of the configuration. */
  readonly status: number;
  /** The frame from the network that waits for buffers. */
  readonly frame: FrameSnapshot | null;
}

const SNAPSHOT_VERSION = 1;
const DEFAULT_QUEUE_SIZE = 256;
// "The device MUST set mtu to between 68 and 65535 inclusive"
const SMALLEST_MTU = 68;
const LARGEST_MTU = 65535;

export class VirtioNetDevice implements VirtioDevice, NetBackendListener {
  readonly deviceId = VIRTIO_ID_NET;
  readonly queueMaxSizes: readonly number[];
  readonly deviceFeatures: bigint;
  readonly configSize = NET_CONFIG_SIZE;
  readonly #backend: NetBackend;
  readonly #counters = createNetCounters();
  readonly #config = new DataView(new ArrayBuffer(NET_CONFIG_SIZE));
  readonly #receiveQueue: ReceiveQueue;
  readonly #transmitQueue: TransmitQueue;
  #hostLinkUp = true;
  #silentConfigChanges = 0;
  #context: DeviceContext | undefined;

  /** @throws VirtioError `NET_MAC` when the address is not 6 bytes or is a multicast one, `NET_MTU`, `POLL_MICROSECONDS` */
  constructor(options: VirtioNetDeviceOptions) {
    const { backend, mac, mtu, queueSize = DEFAULT_QUEUE_SIZE } = options;
    checkMac(mac);
    if (mtu !== undefined) checkMtu(mtu, backend.largestFrame);
    this.#backend = backend;
    this.queueMaxSizes = [queueSize, queueSize];
    this.deviceFeatures =
      VIRTIO_F_ACCESS_PLATFORM |
      VIRTIO_NET_F_CSUM |
      VIRTIO_NET_F_MAC |
      VIRTIO_NET_F_MRG_RXBUF |
      VIRTIO_NET_F_STATUS |
      (mtu === undefined ? 0n : VIRTIO_NET_F_MTU);
    for (let index = 0; index < MAC_SIZE; index += 1) {
      this.#config.setUint8(NET_CONFIG_MAC + index, mac[index]!);
    }
    this.#config.setUint16(NET_CONFIG_MTU, mtu ?? 0, true);
    this.#receiveQueue = new ReceiveQueue(backend, this.#counters, queueSize, mtu ?? LARGEST_MTU);
    const poll = new QueuePoll(options.pollMicroseconds ?? 0);
    this.#transmitQueue = new TransmitQueue(backend, this.#counters, queueSize, poll);
    this.#showLink();
    backend.listen(this);
  }

  /** What the device has done since it was made. */
  get counters(): Readonly<NetCounters> {
    return this.#counters;
  }

  /** Whether the cable is in, as the driver sees it. */
  get linkUp(): boolean {
    return this.#hostLinkUp && this.#backend.linkUp;
  }

  /** Pulls the cable, or puts it in. While it is out, frames of either direction are dropped. */
  setLinkUp(up: boolean): void {
    this.#hostLinkUp = up;
    this.linkChanged();
  }

  get silentConfigChanges(): number {
    return this.#silentConfigChanges;
  }

  receivable(): void {
    this.#context?.requestService(RECEIVEQ);
  }

  sendable(): void {
    this.#context?.requestService(TRANSMITQ);
  }

  linkChanged(): void {
    if (!this.#showLink()) return;
    const context = this.#context;
    if (context === undefined) {
      this.#silentConfigChanges += 1;
      return;
    }
    if ((context.driverFeatures & VIRTIO_NET_F_STATUS) !== 0n) context.interrupts.configChange();
    else this.#silentConfigChanges += 1;
    // What waited for the network need not wait any more.
    context.requestService(RECEIVEQ);
    context.requestService(TRANSMITQ);
  }

  readConfig(offset: number, width: AccessWidth): number {
    return readConfigBytes(this.#config, offset, width);
  }

  /** "All of the device configuration fields are read-only for the driver." */
  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
    // Frames may have come while there was no driver.
    context.requestService(RECEIVEQ);
  }

  notifyQueue(index: number): boolean {
    const context = this.#context;
    const queue = context?.queues[index];
    if (context === undefined || queue === undefined) return false;
    if (index === RECEIVEQ) return this.#receiveQueue.service(queue, context, this.linkUp);
    return this.#transmitQueue.service(queue, context, this.linkUp);
  }

  queueReset(index: number): void {
    if (index === RECEIVEQ) this.#receiveQueue.reset();
  }

  /** Those of a frame that waits for more of them. */
  keptBuffers(index: number): readonly number[] {
    return index === RECEIVEQ ? this.#receiveQueue.heads : [];
  }

  reset(): void {
    this.#receiveQueue.reset();
    this.#context = undefined;
  }

  snapshot(): NetSnapshot {
    return {
      version: 1,
      status: this.#config.getUint16(NET_CONFIG_STATUS, true),
      frame: this.#receiveQueue.snapshot(),
    };
  }

  prepareRestore(snapshot: SnapshotReader, { isUp }: RestoredDriver): () => void {
    snapshot.version(SNAPSHOT_VERSION);
    const status = snapshot.field('status').integer(0, VIRTIO_NET_S_LINK_UP);
    const frame = snapshot.field('frame');
    if (!isUp && !frame.isNull) frame.refuse('is there without a driver');
    const restoreFrame = frame.isNull ? undefined : this.#receiveQueue.prepareRestore(frame);
    return () => {
      restoreFrame?.();
      // The link may be another than the driver knows of.
      this.#config.setUint16(NET_CONFIG_STATUS, status, true);
      this.linkChanged();
    };
  }

  /** @returns whether it has changed */
  #showLink(): boolean {
    const status = this.linkUp ? VIRTIO_NET_S_LINK_UP : 0;
    const changed = this.#config.getUint16(NET_CONFIG_STATUS, true) !== status;
    this.#config.setUint16(NET_CONFIG_STATUS, status, true);
    return changed;
  }
}

function checkMac(mac: Uint8Array): void {
  if (mac.length !== MAC_SIZE || (mac[0]! & 1) !== 0) {
    throw new VirtioError('NET_MAC', 'a MAC address has 6 bytes, the first of them even');
  }
}

function checkMtu(mtu: number, largestFrame: number): void {
  const largest = Math.min(LARGEST_MTU, largestFrame - ETHERNET_HEADER_SIZE);
  if (!Number.isInteger(mtu) || mtu < SMALLEST_MTU || mtu > largest) {
    throw new VirtioError('NET_MTU', `an MTU of ${mtu}: choose ${SMALLEST_MTU} to ${largest}`);
  }
}
