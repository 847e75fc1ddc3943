/** The request queue: takes a request out of its buffers once, has it done, and answers in the writable part. */
import {
  CHAIN_KEPT,
  type ChainHandler,
  createDescriptorChain,
  type DescriptorChain,
  type DrainOptions,
  drainQueue,
  type GuestMemory,
  QueuePoll,
  readChain,
  writeChain,
} from '@viommu/virtqueue';
import type { DeviceContext } from '@viommu/virtqueue/device';
import type { IommuCounters } from './counters.ts';
import type { IommuInjector, RequestVerdict } from './injector.ts';
import type { RequestRecord } from './observer.ts';
import {
  VIRTIO_IOMMU_F_MAP_UNMAP,
  VIRTIO_IOMMU_REQUEST_QUEUE,
  VIRTIO_IOMMU_T_ATTACH,
  VIRTIO_IOMMU_T_DETACH,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_PROBE,
  VIRTIO_IOMMU_T_UNMAP,
} from './protocol/constants.ts';
import {
  REQ_ATTACH_READABLE,
  REQ_DETACH_READABLE,
  REQ_HEAD_TYPE,
  REQ_MAP_READABLE,
  REQ_PROBE_READABLE,
  REQ_TAIL_SIZE,
  REQ_UNMAP_READABLE,
} from './protocol/layout.ts';
import { attach } from './requests/attach.ts';
import { detach } from './requests/detach.ts';
import { map } from './requests/map.ts';
import { probe } from './requests/probe.ts';
import { unmap } from './requests/unmap.ts';
import type { IommuState } from './state/iommu-state.ts';

/** Largest size of the request queue; a driver may choose a smaller one. */
export const REQUEST_QUEUE_SIZE = 256;

/** The longest readable part of a request that is known; what lies beyond it is not looked at. */
const LONGEST_READABLE = REQ_PROBE_READABLE;

/** A longer writable part than this, and than PROBE needs, belongs to no request. */
const WRITABLE_MAX = 4096;

/** The request was not answered: no status was written. */
const UNANSWERED = -1;

export class RequestQueue implements ChainHandler {
  readonly #state: IommuState;
  readonly #counters: IommuCounters;
  readonly #drainOptions: DrainOptions;
  readonly #chain = createDescriptorChain(REQUEST_QUEUE_SIZE);
  readonly #request = new Uint8Array(LONGEST_READABLE);
  readonly #view = new DataView(this.#request.buffer);
  /** All zero between requests. */
  readonly #reply: Uint8Array;
  readonly #record: RequestRecord;
  readonly #injector: IommuInjector | undefined;
  readonly #verdict: RequestVerdict = { status: UNANSWERED, usedLength: -1, isHeld: false };
  /** Head and used length of each answer that an injector holds back, oldest first. */
  readonly #held: number[] = [];
  #context: DeviceContext | undefined;

  constructor(
    state: IommuState,
    counters: IommuCounters,
    pollMicroseconds: number,
    injector: IommuInjector | undefined,
  ) {
    this.#injector = injector;
    this.#state = state;
    this.#drainOptions = { poll: new QueuePoll(pollMicroseconds) };
    this.#counters = counters;
    this.#reply = new Uint8Array(Math.max(WRITABLE_MAX, state.limits.probeSize + REQ_TAIL_SIZE));
    this.#record = {
      type: 0,
      status: UNANSWERED,
      bytes: this.#request,
      length: 0,
      writableLength: 0,
      usedLength: 0,
    };
  }

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  reset(): void {
    this.#context = undefined;
    this.forgetHeld();
  }

  /** The driver has taken the queue back. */
  forgetHeld(): void {
    this.#held.length = 0;
  }

  get heldCount(): number {
    return this.#held.length / 2;
  }

  /** Heads of the buffers that are held, oldest first. */
  get heldHeads(): readonly number[] {
    return this.#held.filter((_, index) => index % 2 === 0);
  }

  /** Hands back the buffers that were held first. @returns whether there were any */
  releaseAnswer(): boolean {
    const [head, usedLength] = this.#held.splice(0, 2);
    if (head === undefined) return false;
    const queue = this.#context?.queues[VIRTIO_IOMMU_REQUEST_QUEUE];
    queue?.pushUsed(head, usedLength!);
    if (queue?.shouldInterrupt()) this.#context?.interrupts.usedBuffer(VIRTIO_IOMMU_REQUEST_QUEUE);
    return true;
  }

  /** @returns true when requests are left */
  drain(): boolean {
    const context = this.#context;
    const queue = context?.queues[VIRTIO_IOMMU_REQUEST_QUEUE];
    if (context === undefined || queue === undefined) {
      return false;
    }
    return drainQueue(queue, this.#chain, this, context.interrupts, this.#drainOptions);
  }

  /**
   * Answers one request. What the driver owns is read once: all checks see the same bytes. Used is always the full
   * writable length, since Linux takes any other length for success.
   */
  handleChain(chain: DescriptorChain): number {
    if (this.#injector !== undefined) this.#clearVerdict();
    const memory = this.#context!.memory;
    const length = Math.min(chain.readableLength, LONGEST_READABLE);
    const gathered = readChain(memory, chain, 0, this.#request, 0, length) === length;
    const type = gathered && length > REQ_HEAD_TYPE ? this.#request[REQ_HEAD_TYPE]! : 0;
    const status = gathered ? this.#perform(type, length, chain.writableLength) : UNANSWERED;
    const written = this.#answer(memory, chain, status);
    const { usedLength: injected, isHeld } = this.#verdict;
    const usedLength = injected < 0 ? written : Math.min(injected, written);
    const { observer } = this.#state;
    if (observer?.request !== undefined) {
      this.#record.type = type;
      this.#record.status = written === 0 ? UNANSWERED : status;
      this.#record.length = gathered ? length : 0;
      this.#record.writableLength = chain.writableLength;
      this.#record.usedLength = usedLength;
      observer.request(this.#record);
    }
    if (!isHeld) return usedLength;
    this.#held.push(chain.head, usedLength);
    return CHAIN_KEPT;
  }

  /**
   * "When the device fails to parse a request, for instance if a request is too small for its type and the device cannot
   * find the tail, [...] it returns the buffers without writing to them." "If a request type is not recognized, the
   * device SHOULD NOT write the buffer and SHOULD set the used length to zero."
   */
  #perform(type: number, length: number, writableLength: number): number {
    const readableSize = this.#readableSize(type);
    if (
      readableSize === 0 ||
      length < readableSize ||
      writableLength < REQ_TAIL_SIZE ||
      writableLength > this.#reply.length
    ) {
      return UNANSWERED;
    }
    this.#state.inRequest = true;
    try {
      if (this.#injector?.request !== undefined) {
        this.#record.type = type;
        this.#record.length = length;
        this.#record.writableLength = writableLength;
        this.#injector.request(this.#record, this.#verdict);
        if (this.#verdict.status !== UNANSWERED) return this.#verdict.status;
      }
      return this.#carryOut(type, writableLength - REQ_TAIL_SIZE);
    } finally {
      this.#state.inRequest = false;
    }
  }

  #clearVerdict(): void {
    this.#verdict.status = UNANSWERED;
    this.#verdict.usedLength = -1;
    this.#verdict.isHeld = false;
  }

  #carryOut(type: number, propertiesLength: number): number {
    switch (type) {
      case VIRTIO_IOMMU_T_MAP:
        return map(this.#state, this.#view);
      case VIRTIO_IOMMU_T_UNMAP:
        return unmap(this.#state, this.#view);
      case VIRTIO_IOMMU_T_ATTACH:
        return attach(this.#state, this.#view);
      case VIRTIO_IOMMU_T_DETACH:
        return detach(this.#state, this.#view);
      default:
        return probe(this.#state, this.#view, this.#reply, propertiesLength);
    }
  }

  /** Size of the device-readable part in bytes; 0 for a type that is unknown or not available. */
  #readableSize(type: number): number {
    switch (type) {
      case VIRTIO_IOMMU_T_ATTACH:
        return REQ_ATTACH_READABLE;
      case VIRTIO_IOMMU_T_DETACH:
        return REQ_DETACH_READABLE;
      // "This request is only available when VIRTIO_IOMMU_F_MAP_UNMAP has been negotiated."
      case VIRTIO_IOMMU_T_MAP:
        return this.#state.negotiated(VIRTIO_IOMMU_F_MAP_UNMAP) ? REQ_MAP_READABLE : 0;
      case VIRTIO_IOMMU_T_UNMAP:
        return this.#state.negotiated(VIRTIO_IOMMU_F_MAP_UNMAP) ? REQ_UNMAP_READABLE : 0;
      case VIRTIO_IOMMU_T_PROBE:
        return REQ_PROBE_READABLE;
      default:
        return 0;
    }
  }

  /**
   * Writes the whole writable part in one go. The tail is its last four bytes, whatever comes before: only so can a
   * PROBE whose `properties` are too short be answered at all.
   */
  #answer(memory: GuestMemory, chain: DescriptorChain, status: number): number {
    const length = chain.writableLength;
    if (status !== UNANSWERED) {
      const reply = this.#reply;
      const type = this.#request[REQ_HEAD_TYPE]!;
      reply[length - REQ_TAIL_SIZE] = status;
      const isWritten = writeChain(memory, chain, 0, reply, 0, length) === length;
      reply[length - REQ_TAIL_SIZE] = 0;
      if (type === VIRTIO_IOMMU_T_PROBE) reply.fill(0, 0, length);
      if (isWritten) {
        this.#counters.countAnswer(type, status);
        return length;
      }
    }
    this.#counters.unanswered += 1;
    return 0;
  }
}
