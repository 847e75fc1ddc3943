/** The driver's side of a split ring, as cheap as can be: descriptors never change, and nothing that is used is looked at. */
import {
  CHAINS,
  DESCRIPTOR_AREA,
  DRIVER_AREA,
  INDIRECT_TABLES,
  QUEUE_SIZE,
  READABLE_LENGTH,
  writeSplitPair,
} from './ring-memory.ts';

const VIRTQ_DESC_F_INDIRECT = 4;
const INDIRECT_TABLE_LENGTH = 32;
const AVAIL_IDX = 1;
const AVAIL_RING = 2;

export interface RingDriver {
  /** Makes the first `count` chains available; the device has given all back. */
  refill(count: number): void;
}

export class SplitDriver implements RingDriver {
  /** struct virtq_avail as 16-bit fields. */
  readonly #avail: Uint16Array;
  readonly #headStride: number;
  #availIdx = 0;

  /** @param readableLengths by chain; 16 for each by default */
  constructor(buffer: ArrayBufferLike, indirect: boolean, readableLengths?: readonly number[]) {
    this.#avail = new Uint16Array(buffer, DRIVER_AREA, 3 + QUEUE_SIZE);
    this.#headStride = indirect ? 1 : 2;
    const view = new DataView(buffer);
    for (let chain = 0; chain < CHAINS; chain += 1) {
      const length = readableLengths?.[chain] ?? READABLE_LENGTH;
      if (indirect) writeIndirect(view, chain, length);
      else writeSplitPair(view, DESCRIPTOR_AREA, 2 * chain, chain, length);
    }
  }

  refill(count: number): void {
    const avail = this.#avail;
    const stride = this.#headStride;
    let availIdx = this.#availIdx;
    for (let chain = 0; chain < count; chain += 1) {
      avail[AVAIL_RING + (availIdx & (QUEUE_SIZE - 1))] = chain * stride;
      availIdx = (availIdx + 1) & 0xffff;
    }
    // used_event: the driver wants to hear of the last one.
    avail[AVAIL_RING + QUEUE_SIZE] = availIdx - 1;
    avail[AVAIL_IDX] = availIdx;
    this.#availIdx = availIdx;
  }
}

function writeIndirect(view: DataView, chain: number, readableLength: number): void {
  const table = INDIRECT_TABLES + chain * INDIRECT_TABLE_LENGTH;
  const at = DESCRIPTOR_AREA + 16 * chain;
  view.setBigUint64(at, BigInt(table), true);
  view.setUint32(at + 8, INDIRECT_TABLE_LENGTH, true);
  view.setUint16(at + 12, VIRTQ_DESC_F_INDIRECT, true);
  writeSplitPair(view, table, 0, chain, readableLength);
}
