/**
 * Work `queue-size size=N`: a split ring of N descriptors. One operation is one chain of a readable descriptor of 16 bytes and
 * a writable one of 4. Timed: the driver makes N / 2 chains available; the device pops each, reads its bytes, writes its
 * tail and pushes it used; one decision about an interrupt after the last.
 */
import { ArrayGuestMemory, createDescriptorChain, SplitVirtqueue } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { type Keys, timed, type Work } from './work.ts';

const DESCRIPTOR_AREA = 0x1000;
const READABLE_LENGTH = 16;
const WRITABLE_LENGTH = 4;
/** Bytes per chain: a line of the cache for each of its two buffers. */
const BUFFERS = 128;
const VIRTQ_DESC_F_NEXT = 1;
const VIRTQ_DESC_F_WRITE = 2;
const PAGE = 4096;

export function createQueueSizeWork(keys: Keys): Work {
  return new QueueSizeWork(keys.count('size'));
}

class QueueSizeWork implements Work {
  sink = 0;
  readonly #size: number;
  readonly #memory: ArrayGuestMemory;
  readonly #queue: SplitVirtqueue;
  readonly #avail: Uint16Array;
  readonly #chain: ReturnType<typeof createDescriptorChain>;
  readonly #request = new Uint8Array(READABLE_LENGTH);
  readonly #reply = new Uint8Array(WRITABLE_LENGTH);
  #availIdx = 0;

  constructor(size: number) {
    const driverArea = DESCRIPTOR_AREA + pages(16 * size);
    const deviceArea = driverArea + pages(6 + 2 * size);
    const buffers = deviceArea + pages(6 + 8 * size);
    const buffer = new ArrayBuffer(buffers + (size / 2) * BUFFERS);
    this.#size = size;
    this.#memory = new ArrayGuestMemory([{ base: 0, buffer }]);
    this.#queue = new SplitVirtqueue({
      index: 0,
      size,
      memory: this.#memory,
      descriptorArea: DESCRIPTOR_AREA,
      driverArea,
      deviceArea,
      indirect: false,
      eventIdx: true,
      onBroken: (reason) => {
        throw new BenchError(reason);
      },
    });
    this.#avail = new Uint16Array(buffer, driverArea, 3 + size);
    this.#chain = createDescriptorChain(size);
    const view = new DataView(buffer);
    for (let chain = 0; chain < size / 2; chain += 1) {
      const at = buffers + chain * BUFFERS;
      writeDescriptor(view, 2 * chain, at, READABLE_LENGTH, VIRTQ_DESC_F_NEXT);
      writeDescriptor(view, 2 * chain + 1, at + BUFFERS / 2, WRITABLE_LENGTH, VIRTQ_DESC_F_WRITE);
    }
  }

  run(operations: number): number {
    let served = 0;
    const nanoseconds = timed(() => {
      for (let left = operations; left > 0; left -= this.#size / 2) {
        this.#refill(Math.min(left, this.#size / 2));
        served += this.#serve();
      }
    });
    if (served !== operations) throw new BenchError(`${served} chains of ${operations}`);
    return nanoseconds;
  }

  #refill(count: number): void {
    const avail = this.#avail;
    let availIdx = this.#availIdx;
    for (let chain = 0; chain < count; chain += 1) {
      avail[2 + (availIdx & (this.#size - 1))] = 2 * chain;
      availIdx = (availIdx + 1) & 0xffff;
    }
    // used_event: the driver wants to hear of the last one.
    avail[2 + this.#size] = availIdx - 1;
    avail[1] = availIdx;
    this.#availIdx = availIdx;
  }

  #serve(): number {
    const queue = this.#queue;
    const chain = this.#chain;
    let served = 0;
    while (queue.pop(chain)) {
      this.#memory.read(chain.addresses[0]!, this.#request, 0, READABLE_LENGTH);
      this.#memory.write(chain.addresses[1]!, this.#reply, 0, WRITABLE_LENGTH);
      queue.pushUsed(chain.head, WRITABLE_LENGTH);
      served += 1;
    }
    if (queue.shouldInterrupt()) this.sink += 1;
    return served;
  }
}

function pages(length: number): number {
  return Math.ceil(length / PAGE) * PAGE;
}

/** struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; } */
function writeDescriptor(
  view: DataView,
  index: number,
  address: number,
  length: number,
  flags: number,
): void {
  const at = DESCRIPTOR_AREA + 16 * index;
  view.setBigUint64(at, BigInt(address), true);
  view.setUint32(at + 8, length, true);
  view.setUint16(at + 12, flags, true);
  view.setUint16(at + 14, index + 1, true);
}
