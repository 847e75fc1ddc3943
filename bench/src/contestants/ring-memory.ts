/** The memory of a ring under test: where its parts and the buffers of 128 chains are. Addresses and sizes in bytes. */
import { ArrayGuestMemory } from '@viommu/virtqueue';

export const QUEUE_SIZE = 256;
/** Chains of two descriptors that fit the queue. */
export const CHAINS = QUEUE_SIZE / 2;
export const READABLE_LENGTH = 16;
export const WRITABLE_LENGTH = 4;

export const DESCRIPTOR_AREA = 0x1000;
export const DRIVER_AREA = 0x3000;
export const DEVICE_AREA = 0x4000;
export const INDIRECT_TABLES = 0x6000;
/** One every 64 bytes: a line of the cache each. */
const READABLE_BUFFERS = 0x1_0000;
const WRITABLE_BUFFERS = 0x2_0000;
const BUFFER_STRIDE = 64;
const MEMORY_LENGTH = 1 << 20;

const VIRTQ_DESC_F_NEXT = 1;
const VIRTQ_DESC_F_WRITE = 2;

export interface RingMemory {
  readonly buffer: ArrayBufferLike;
  readonly memory: ArrayGuestMemory;
}

/** @param shared in a SharedArrayBuffer, as memory is that a driver in another thread uses */
export function createRingMemory(shared: boolean): RingMemory {
  const buffer = shared ? new SharedArrayBuffer(MEMORY_LENGTH) : new ArrayBuffer(MEMORY_LENGTH);
  return { buffer, memory: new ArrayGuestMemory([{ base: 0, buffer }]) };
}

export function readableBuffer(chain: number): number {
  return READABLE_BUFFERS + chain * BUFFER_STRIDE;
}

export function writableBuffer(chain: number): number {
  return WRITABLE_BUFFERS + chain * BUFFER_STRIDE;
}

/** struct virtq_desc { le64 addr; le32 len; le16 flags; le16 next; }: the two of a chain, linked by `next`. */
export function writeSplitPair(
  view: DataView,
  table: number,
  first: number,
  chain: number,
  readableLength: number,
): void {
  const at = table + 16 * first;
  view.setBigUint64(at, BigInt(readableBuffer(chain)), true);
  view.setUint32(at + 8, readableLength, true);
  view.setUint16(at + 12, VIRTQ_DESC_F_NEXT, true);
  view.setUint16(at + 14, first + 1, true);
  view.setBigUint64(at + 16, BigInt(writableBuffer(chain)), true);
  view.setUint32(at + 24, WRITABLE_LENGTH, true);
  view.setUint16(at + 28, VIRTQ_DESC_F_WRITE, true);
}
