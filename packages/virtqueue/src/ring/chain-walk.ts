/** ChainWalker: reads the descriptors of one chain, direct or indirect, and checks them ("The Virtqueue Descriptor Table"). */
import { ACCESS_READ, type GuestMemory } from '../memory/guest-memory.ts';
import { joinLe64 } from '../memory/le64.ts';
import {
  DESC_ADDR,
  DESC_FLAGS,
  DESC_LEN,
  DESC_NEXT,
  DESC_SIZE,
  VIRTQ_DESC_F_INDIRECT,
  VIRTQ_DESC_F_NEXT,
  VIRTQ_DESC_F_WRITE,
} from './layout.ts';
import { RingPart } from './ring-part.ts';
import type { DescriptorChain } from './virtqueue.ts';

/** "a driver MUST NOT create a descriptor chain longer than 2^32 bytes in total" */
const LARGEST_CHAIN = 2 ** 32;

export class ChainWalker {
  /** Why the last walk failed. */
  reason = '';
  readonly #memory: GuestMemory;
  readonly #table: RingPart;
  readonly #size: number;
  readonly #indirectAllowed: boolean;
  /** An indirect table is copied as a whole, so that it is read once and in place of scattered accesses. */
  readonly #indirectTable: Uint8Array;
  readonly #indirectView: DataView;
  /** The descriptor under the cursor; read once, since the driver could change it meanwhile. */
  #address = 0;
  #length = 0;
  #flags = 0;
  #next = 0;

  constructor(memory: GuestMemory, table: RingPart, size: number, indirectAllowed: boolean) {
    this.#memory = memory;
    this.#table = table;
    this.#size = size;
    this.#indirectAllowed = indirectAllowed;
    this.#indirectTable = new Uint8Array(indirectAllowed ? size * DESC_SIZE : 0);
    this.#indirectView = new DataView(this.#indirectTable.buffer);
  }

  /** @returns false when the chain breaks a rule, with `reason` */
  walk(head: number, chain: DescriptorChain): boolean {
    chain.head = head;
    chain.count = 0;
    chain.readableCount = 0;
    chain.readableLength = 0;
    chain.writableLength = 0;
    let index = head;
    // A chain that is longer than the table is a loop.
    for (let visited = 0; visited < this.#size; visited += 1) {
      if (index >= this.#size) return this.#fail(`descriptor index ${index} is beyond the queue`);
      this.#loadDescriptor(index);
      if (this.#table.failed) return this.#fail('the descriptor table is not in memory');
      if ((this.#flags & VIRTQ_DESC_F_INDIRECT) !== 0) return this.#walkIndirect(chain);
      if (!this.#append(chain)) return false;
      if ((this.#flags & VIRTQ_DESC_F_NEXT) === 0) return true;
      index = this.#next;
    }
    return this.#fail('the descriptor chain is a loop');
  }

  #walkIndirect(chain: DescriptorChain): boolean {
    // "A driver MUST NOT set both VIRTQ_DESC_F_INDIRECT and VIRTQ_DESC_F_NEXT in flags."
    if ((this.#flags & VIRTQ_DESC_F_NEXT) !== 0)
      return this.#fail('an indirect descriptor has a next one');
    if (!this.#indirectAllowed)
      return this.#fail('an indirect descriptor without VIRTIO_F_INDIRECT_DESC');
    const length = this.#length;
    const entries = length / DESC_SIZE;
    if (!Number.isInteger(entries) || entries < 1 || entries > this.#size) {
      return this.#fail(`an indirect table of ${length} bytes`);
    }
    if (!this.#memory.read(this.#address, this.#indirectTable, 0, length)) {
      return this.#fail('an indirect table is not in memory');
    }
    let index = 0;
    for (let visited = 0; visited < entries; visited += 1) {
      if (index >= entries) return this.#fail(`index ${index} is beyond the indirect table`);
      this.#decode(this.#indirectView, index * DESC_SIZE);
      // "A driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor"
      if ((this.#flags & VIRTQ_DESC_F_INDIRECT) !== 0)
        return this.#fail('an indirect table inside another');
      if (!this.#append(chain)) return false;
      if ((this.#flags & VIRTQ_DESC_F_NEXT) === 0) return true;
      index = this.#next;
    }
    return this.#fail('the indirect table is a loop');
  }

  #append(chain: DescriptorChain): boolean {
    const { count } = chain;
    const isWritable = (this.#flags & VIRTQ_DESC_F_WRITE) !== 0;
    if (count >= this.#size) return this.#fail('the descriptor chain is longer than the queue');
    chain.addresses[count] = this.#address;
    chain.lengths[count] = this.#length;
    chain.count = count + 1;
    if (isWritable) {
      chain.writableLength += this.#length;
    } else {
      // "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements."
      if (chain.readableCount !== count)
        return this.#fail('a readable descriptor after a writable one');
      chain.readableCount = count + 1;
      chain.readableLength += this.#length;
    }
    if (chain.readableLength + chain.writableLength > LARGEST_CHAIN) {
      return this.#fail('a descriptor chain of more than 2^32 bytes');
    }
    return true;
  }

  #loadDescriptor(index: number): void {
    const table = this.#table;
    const offset = index * DESC_SIZE;
    if (!table.isInPlace) {
      this.#decode(table.copyDescriptor(offset), 0);
      return;
    }
    this.#address = joinLe64(
      table.load32(offset + DESC_ADDR),
      table.load32(offset + DESC_ADDR + 4),
    );
    this.#length = table.load32(offset + DESC_LEN);
    this.#flags = table.load16(offset + DESC_FLAGS);
    this.#next = table.load16(offset + DESC_NEXT);
  }

  #decode(view: DataView, offset: number): void {
    this.#address = joinLe64(
      view.getUint32(offset + DESC_ADDR, true),
      view.getUint32(offset + DESC_ADDR + 4, true),
    );
    this.#length = view.getUint32(offset + DESC_LEN, true);
    this.#flags = view.getUint16(offset + DESC_FLAGS, true);
    this.#next = view.getUint16(offset + DESC_NEXT, true);
  }

  #fail(reason: string): boolean {
    this.reason = reason;
    return false;
  }
}

/** The part of a queue in which its descriptors lie. */
export function descriptorTablePart(memory: GuestMemory, address: number, size: number): RingPart {
  return new RingPart(memory, address, size * DESC_SIZE, ACCESS_READ);
}
