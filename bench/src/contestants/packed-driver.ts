/** The driver's side of a packed ring, as cheap as can be: of a descriptor only what the device overwrites is written again. */
import {
  CHAINS,
  DESCRIPTOR_AREA,
  DRIVER_AREA,
  QUEUE_SIZE,
  READABLE_LENGTH,
  readableBuffer,
  WRITABLE_LENGTH,
  writableBuffer,
} from './ring-memory.ts';
import type { RingDriver } from './split-driver.ts';

const VIRTQ_DESC_F_NEXT = 1;
const VIRTQ_DESC_F_WRITE = 2;
const AVAIL = 1 << 7;
const USED = 1 << 15;
const FLAGS_SHIFT = 16;
/** Of struct pvirtq_desc { le64 addr; le32 len; le16 id; le16 flags; } as 32-bit fields. */
const DESC_FIELDS = 4;
const LEN = 2;
const TAIL = 3;
const RING_EVENT_FLAGS_DESC = 2;
const WRAP_SHIFT = 15;

export class PackedDriver implements RingDriver {
  readonly #ring: Int32Array;
  readonly #event: Int32Array;
  #offset = 0;
  #wrap = 1;

  constructor(buffer: ArrayBufferLike) {
    this.#ring = new Int32Array(buffer, DESCRIPTOR_AREA, DESC_FIELDS * QUEUE_SIZE);
    this.#event = new Int32Array(buffer, DRIVER_AREA, 1);
    for (let chain = 0; chain < CHAINS; chain += 1) {
      const at = 2 * chain * DESC_FIELDS;
      this.#ring[at] = readableBuffer(chain);
      this.#ring[at + LEN] = READABLE_LENGTH;
      this.#ring[at + DESC_FIELDS] = writableBuffer(chain);
      this.#ring[at + DESC_FIELDS + LEN] = WRITABLE_LENGTH;
    }
  }

  refill(count: number): void {
    const ring = this.#ring;
    for (let chain = 0; chain < count; chain += 1) {
      const last = this.#offset;
      const at = last * DESC_FIELDS;
      const available = this.#wrap === 1 ? AVAIL : USED;
      // The buffer ID is looked at in the last descriptor alone: the place of the chain is one, as long as all are in order.
      const id = last >> 1;
      ring[at + DESC_FIELDS + TAIL] = ((available | VIRTQ_DESC_F_WRITE) << FLAGS_SHIFT) | id;
      ring[at + LEN] = READABLE_LENGTH;
      ring[at + TAIL] = (available | VIRTQ_DESC_F_NEXT) << FLAGS_SHIFT;
      if (chain === count - 1) {
        this.#event[0] = (RING_EVENT_FLAGS_DESC << FLAGS_SHIFT) | (this.#wrap << WRAP_SHIFT) | last;
      }
      this.#offset += 2;
      if (this.#offset === QUEUE_SIZE) {
        this.#offset = 0;
        this.#wrap ^= 1;
      }
    }
  }
}
