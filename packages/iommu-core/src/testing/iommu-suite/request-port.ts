/** RequestPort: the two queues of a virtio-iommu, driven by requests as bytes. */
import type { BufferSegment, DriverQueue } from '@viommu/virtqueue/driver';
import type { DeviceUnderTest, GuestBytes } from '@viommu/virtqueue/testing';
import { FAULT_SIZE, STATUS, TAIL_SIZE } from './wire.ts';

export const [REQUEST_QUEUE, EVENT_QUEUE] = [0, 1];
const REQUEST_SLOTS = 16;
export const EVENT_SLOTS = 8;
/** Bytes of a slot: more than the readable part of any request, and than an event. */
const SLOT = 128;
const FILLER = 0xee;

export interface Answer {
  /** Of the used element; -1 when the buffer did not come back. */
  readonly used: number;
  /** What is in the writable part. */
  readonly writable: Uint8Array;
  /** Without `VIRTIO_IOMMU_S_`; `none written` where the used length is 0, `not used` for a buffer that did not come back. */
  readonly status: string;
}

/** How a request lies in descriptors: lengths of the first segments of each part; the rest is one more. */
export interface Split {
  readonly readable?: readonly number[];
  readonly writable?: readonly number[];
}

export interface FaultEvent {
  readonly used: number;
  readonly reason: number;
  readonly flags: number;
  readonly endpoint: number;
  readonly address: number;
  /** All reserved bytes as one number. */
  readonly reserved: number;
}

export interface RequestPortOptions {
  readonly device: DeviceUnderTest;
  readonly bytes: GuestBytes;
  readonly requests: DriverQueue;
  readonly events: DriverQueue;
  /** Gives an address with so many bytes. */
  readonly allocate: (length: number) => number;
  readonly probeSize: number;
}

export class RequestPort {
  readonly #options: RequestPortOptions;
  readonly #readable: number;
  readonly #writable: number;
  readonly #events: number;
  /** For one request with a long answer, or a long question. */
  readonly #large: number;
  readonly #used = { token: 0, length: 0 };
  #eventCount = 0;
  readonly #eventLengths: number[] = [];

  constructor(options: RequestPortOptions) {
    this.#options = options;
    this.#readable = options.allocate(REQUEST_SLOTS * SLOT);
    this.#writable = options.allocate(REQUEST_SLOTS * SLOT);
    this.#events = options.allocate(EVENT_SLOTS * SLOT);
    this.#large = options.allocate(options.probeSize + SLOT);
  }

  /** Sends one request and waits for its answer. */
  send(readable: readonly number[], writableLength = TAIL_SIZE, split: Split = {}): Answer {
    const { bytes } = this.#options;
    bytes.write(this.#readable, readable);
    bytes.fill(this.#large, writableLength, FILLER);
    return this.#exchange(
      cut(this.#readable, readable.length, split.readable),
      cut(this.#large, writableLength, split.writable),
      writableLength,
    );
  }

  /**
   * Sends up to {@link REQUEST_SLOTS} requests with one kick.
   *
   * @param afterKick called before the device is let to work
   * @returns their statuses
   */
  sendAll(requests: readonly (readonly number[])[], afterKick?: () => void): string[] {
    const { bytes, requests: queue, device } = this.#options;
    for (const [slot, request] of requests.entries()) {
      bytes.write(this.#readable + slot * SLOT, request);
      bytes.fill(this.#writable + slot * SLOT, TAIL_SIZE, FILLER);
      queue.add(
        cut(this.#readable + slot * SLOT, request.length),
        cut(this.#writable + slot * SLOT, TAIL_SIZE),
        slot,
      );
    }
    device.transport.notifyQueue(REQUEST_QUEUE, queue.next);
    afterKick?.();
    device.run();
    const statuses = requests.map(() => 'not used');
    while (queue.takeUsed(this.#used)) {
      const { token, length } = this.#used;
      statuses[token] = statusOf(length, bytes.read(this.#writable + token * SLOT, TAIL_SIZE));
    }
    return statuses;
  }

  #exchange(readable: BufferSegment[], writable: BufferSegment[], length: number): Answer {
    const { bytes, requests, device } = this.#options;
    requests.add(readable, writable, 0);
    device.transport.notifyQueue(REQUEST_QUEUE, requests.next);
    device.run();
    const used = requests.takeUsed(this.#used) ? this.#used.length : -1;
    const answer = bytes.read(this.#large, length);
    return { used, writable: answer, status: statusOf(used, answer) };
  }

  /** Makes a buffer for an event available, without a kick: as Linux does. */
  giveEventBuffer(length = FAULT_SIZE): void {
    const { bytes, events } = this.#options;
    const token = this.#eventCount % EVENT_SLOTS;
    this.#eventCount += 1;
    const address = this.#events + token * SLOT;
    bytes.fill(address, SLOT, FILLER);
    this.#eventLengths[token] = length;
    events.add([], [{ address, length }], token);
  }

  /** Takes the next event buffer that came back. */
  takeEvent(): FaultEvent | undefined {
    const { bytes, events } = this.#options;
    if (!events.takeUsed(this.#used)) return undefined;
    const { token, length: used } = this.#used;
    const view = new DataView(bytes.read(this.#events + token * SLOT, FAULT_SIZE).buffer);
    return {
      used,
      reason: view.getUint8(0),
      flags: view.getUint32(4, true),
      endpoint: view.getUint32(8, true),
      address: Number(view.getBigUint64(16, true)),
      reserved: (view.getUint32(0, true) >>> 8) + view.getUint32(12, true),
    };
  }
}

function statusOf(used: number, writable: Uint8Array): string {
  if (used < 0) return 'not used';
  if (used === 0) return 'none written';
  const status = writable[writable.length - TAIL_SIZE] ?? -1;
  return STATUS[status] ?? `0x${status.toString(16)}`;
}

function cut(base: number, length: number, lengths: readonly number[] = []): BufferSegment[] {
  const segments: BufferSegment[] = [];
  let done = 0;
  for (const part of [...lengths, length]) {
    const taken = Math.min(part, length - done);
    if (taken > 0) segments.push({ address: base + done, length: taken });
    done += taken;
  }
  return segments;
}
