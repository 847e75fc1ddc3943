/** DescriptorWriter: writes descriptors of either layout into the driver's memory. */
import { VirtioError } from '../error.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { writeLe64 } from '../memory/le64.ts';
import { DESC_ADDR, DESC_LEN, DESC_SIZE, DESC_TAIL, VIRTQ_DESC_F_WRITE } from '../ring/layout.ts';
import type { BufferSegment, DriverQueueOptions } from './driver-queue.ts';

export class DescriptorWriter {
  readonly #memory: GuestMemory;
  readonly #bytes = new Uint8Array(DESC_SIZE);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /**
   * @param tail the last four bytes
   * @param bytes how many are written
   * @throws VirtioError `RING_MEMORY` when there is no memory at `target`
   */
  write(target: number, address: number, length: number, tail: number, bytes = DESC_SIZE): void {
    writeLe64(this.#view, DESC_ADDR, address);
    this.#view.setUint32(DESC_LEN, length, true);
    this.#view.setUint32(DESC_TAIL, tail, true);
    if (!this.#memory.write(target, this.#bytes, 0, bytes)) throw outsideMemory();
  }
}

/** "Drivers MUST NOT add a descriptor chain longer than 2^32 bytes in total" */
const LONGEST_BUFFER = 2 ** 32;

/** How many segments a buffer has. @throws VirtioError `EMPTY_BUFFER` when it has none, `BUFFER_LENGTH` when it is too long */
export function segmentCount(
  readable: readonly BufferSegment[],
  writable: readonly BufferSegment[],
): number {
  const count = readable.length + writable.length;
  if (count === 0) throw new VirtioError('EMPTY_BUFFER', 'a buffer needs at least one segment');
  let length = 0;
  for (const segment of readable) length += segment.length;
  for (const segment of writable) length += segment.length;
  if (length <= LONGEST_BUFFER) return count;
  throw new VirtioError('BUFFER_LENGTH', `a buffer of ${length} bytes: 2^32 are the most`);
}

/** As {@link segmentCount}, of a buffer for an indirect table. @throws VirtioError `NO_INDIRECT_DESC`, `TABLE_LENGTH` */
export function tableCount(
  { size, indirect }: DriverQueueOptions,
  readable: readonly BufferSegment[],
  writable: readonly BufferSegment[],
): number {
  const count = segmentCount(readable, writable);
  if (indirect !== true) {
    throw new VirtioError('NO_INDIRECT_DESC', 'VIRTIO_F_INDIRECT_DESC was not negotiated');
  }
  if (count <= size) return count;
  throw new VirtioError('TABLE_LENGTH', `a table of ${count} segments for a queue of ${size}`);
}

/** The readable segments, then the writable ones. */
export function segmentAt(
  readable: readonly BufferSegment[],
  writable: readonly BufferSegment[],
  position: number,
): BufferSegment {
  return readable[position] ?? writable[position - readable.length]!;
}

/** VIRTQ_DESC_F_WRITE for a writable segment, else 0. */
export function directionFlag(readable: readonly BufferSegment[], position: number): number {
  return position < readable.length ? 0 : VIRTQ_DESC_F_WRITE;
}

export function outsideMemory(): VirtioError {
  return new VirtioError(
    'RING_MEMORY',
    'the ring is not in memory; place all of it inside one region',
  );
}
