/** RequestChannel: puts requests on the request queue, waits for their answers, and finds the first that failed. */
import { type GuestMemory, VirtioError } from '@viommu/virtqueue';
import type { DriverQueue, DriverTransport, UsedBuffer } from '@viommu/virtqueue/driver';
import { PROBE_SIZE, REQUEST_QUEUE, TAIL_SIZE, VIRTIO_IOMMU_S_OK } from './protocol.ts';
import { IommuRequestError } from './request-error.ts';

/** One request on its way: where its bytes are, and what to say when it fails. */
interface Slot {
  readonly readable: readonly [{ readonly address: number; length: number }];
  readonly writable: readonly [{ readonly address: number; length: number }];
  name: string;
}

/** Each request takes two descriptors, one for each direction. */
const DESCRIPTORS_PER_REQUEST = 2;
const STATUS_IOERR = 1;
/** No status of the standard: a device that writes nothing is not taken for one that said OK. */
const UNWRITTEN = 0xff;

export interface RequestChannelOptions {
  readonly transport: DriverTransport;
  readonly queue: DriverQueue;
  readonly memory: GuestMemory;
  /** Address of {@link RequestChannel.memoryLength} bytes that the device can reach. */
  readonly address: number;
  /** Length of the properties in the answer to PROBE, in bytes. */
  readonly probeSize: number;
  readonly wait: () => boolean;
}

export class RequestChannel {
  /** Where the caller puts the device-readable part of the next request; no longer than PROBE's. */
  readonly request = new DataView(new ArrayBuffer(PROBE_SIZE));
  /** The properties of the last PROBE. */
  readonly properties: Uint8Array;
  readonly #options: RequestChannelOptions;
  readonly #requestBytes = new Uint8Array(this.request.buffer);
  readonly #tail = new Uint8Array(TAIL_SIZE);
  readonly #slots: readonly Slot[];
  readonly #freeSlots: number[];
  readonly #used: UsedBuffer = { token: 0, length: 0 };
  #failure: IommuRequestError | undefined;

  /** Bytes of memory for a queue of that size. */
  static memoryLength(queueSize: number, probeSize: number): number {
    return slotCount(queueSize) * slotLength(probeSize);
  }

  constructor(options: RequestChannelOptions) {
    this.#options = options;
    this.properties = new Uint8Array(options.probeSize);
    this.#slots = Array.from({ length: slotCount(options.queue.size) }, (_, index) => {
      const address = options.address + index * slotLength(options.probeSize);
      return {
        readable: [{ address, length: 0 }],
        writable: [{ address: address + PROBE_SIZE, length: TAIL_SIZE }],
        name: '',
      };
    });
    this.#freeSlots = this.#slots.map((_, index) => index);
  }

  /**
   * Puts the first `length` bytes of {@link request} on the queue; waits for earlier ones when it is full.
   *
   * @param name what a message calls the request
   * @param writableLength bytes of the device-writable part before the tail: the properties of PROBE, else 0
   */
  add(name: string, length: number, writableLength = 0): void {
    if (this.#freeSlots.length === 0) this.#waitForAll();
    const index = this.#freeSlots.pop()!;
    const slot = this.#slots[index]!;
    const [readable] = slot.readable;
    const [writable] = slot.writable;
    readable.length = length;
    writable.length = writableLength + TAIL_SIZE;
    slot.name = name;
    this.#tail.fill(UNWRITTEN);
    this.#write(readable.address, this.#requestBytes, length);
    this.#write(writable.address + writableLength, this.#tail, TAIL_SIZE);
    this.#options.queue.add(slot.readable, slot.writable, index);
  }

  /**
   * Waits until every request is answered.
   *
   * @throws IommuRequestError of the first request that failed since the last call
   * @throws VirtioError `NO_ANSWER` when waiting was given up
   */
  sync(): void {
    this.#waitForAll();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #waitForAll(): void {
    const { queue, transport, wait } = this.#options;
    if (queue.shouldNotify()) transport.notifyQueue(REQUEST_QUEUE, queue.next);
    while (this.#freeSlots.length < this.#slots.length) {
      if (this.#takeUsed()) continue;
      // Looked at again after the wish for an interrupt is out: what came before it interrupts nobody.
      queue.enableInterrupts(true);
      if (this.#takeUsed()) continue;
      if (!wait()) {
        throw new VirtioError('NO_ANSWER', 'the IOMMU does not answer; does its device work?');
      }
    }
  }

  #takeUsed(): boolean {
    if (!this.#options.queue.takeUsed(this.#used)) return false;
    this.#complete(this.#used.token, this.#used.length);
    return true;
  }

  #complete(index: number, usedLength: number): void {
    const slot = this.#slots[index]!;
    const [{ address, length }] = slot.writable;
    const propertiesLength = length - TAIL_SIZE;
    this.#read(address + propertiesLength, this.#tail, TAIL_SIZE);
    // "Device operations": a device that does not know a request type writes nothing, and says a used length of 0. "The driver
    // MUST NOT make assumptions about data in device-writable buffers beyond the first len bytes": the tail is the end of it.
    const status = usedLength < length ? STATUS_IOERR : this.#tail[0]!;
    if (propertiesLength > 0) this.#read(address, this.properties, propertiesLength);
    this.#freeSlots.push(index);
    if (status !== VIRTIO_IOMMU_S_OK) this.#failure ??= new IommuRequestError(slot.name, status);
  }

  #read(address: number, target: Uint8Array, length: number): void {
    if (!this.#options.memory.read(address, target, 0, length)) this.#outside();
  }

  #write(address: number, source: Uint8Array, length: number): void {
    if (!this.#options.memory.write(address, source, 0, length)) this.#outside();
  }

  #outside(): never {
    throw new VirtioError('RING_MEMORY', 'the request buffers are not in memory');
  }
}

function slotCount(queueSize: number): number {
  return Math.floor(queueSize / DESCRIPTORS_PER_REQUEST);
}

function slotLength(probeSize: number): number {
  return Math.ceil((PROBE_SIZE + probeSize + TAIL_SIZE) / 8) * 8;
}
