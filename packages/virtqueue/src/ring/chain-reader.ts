/** ChainReader: reads descriptors, each once, and makes a chain of them by the rules that split and packed virtqueues share. */
import type { GuestMemory } from '../memory/guest-memory.ts';
import { joinLe64 } from '../memory/le64.ts';
import { DESC_ADDR, DESC_LEN, DESC_SIZE, DESC_TAIL, descriptorAreaSize } from './layout.ts';
import type { RingPart } from './ring-part.ts';
import type { DescriptorChain } from './virtqueue.ts';

/** "a driver MUST NOT create a descriptor chain longer than 2^32 bytes in total" */
const LARGEST_CHAIN = 2 ** 32;

export class ChainReader {
  /** Why something was refused. */
  reason = '';
  /** The last four bytes of the descriptor that was read last, signed; each layout takes them apart. */
  tail = 0;
  readonly size: number;
  readonly #memory: GuestMemory;
  readonly #descriptors: RingPart;
  readonly #indirectAllowed: boolean;
  /** An indirect table is copied as a whole, so that it is read once and in place of scattered accesses. */
  readonly #indirectTable: Uint8Array;
  readonly #indirectView: DataView;
  #address = 0;
  #length = 0;

  /** @param descriptors the descriptor area of a queue of `size` */
  constructor(memory: GuestMemory, descriptors: RingPart, size: number, indirectAllowed: boolean) {
    this.size = size;
    this.#memory = memory;
    this.#descriptors = descriptors;
    this.#indirectAllowed = indirectAllowed;
    this.#indirectTable = new Uint8Array(indirectAllowed ? descriptorAreaSize(size) : 0);
    this.#indirectView = new DataView(this.#indirectTable.buffer);
  }

  /** Empties the chain. */
  begin(chain: DescriptorChain): void {
    chain.count = 0;
    chain.readableCount = 0;
    chain.readableLength = 0;
    chain.writableLength = 0;
  }

  /**
   * Reads a descriptor of the queue; the driver could change it meanwhile, so nothing of it is looked at twice.
   *
   * @returns false when it is not in memory, with `reason`
   */
  read(index: number): boolean {
    const descriptors = this.#descriptors;
    const offset = index * DESC_SIZE;
    if (descriptors.isInPlace) {
      this.#address = joinLe64(
        descriptors.load32(offset + DESC_ADDR),
        descriptors.load32(offset + DESC_ADDR + 4),
      );
      this.#length = descriptors.load32(offset + DESC_LEN);
      this.tail = descriptors.load32(offset + DESC_TAIL) | 0;
    } else {
      this.#decode(descriptors.copyDescriptor(offset), 0);
    }
    return !descriptors.failed || this.fail('a descriptor is not in memory');
  }

  /**
   * Copies the table that the descriptor which was read last refers to ("Indirect Descriptors").
   *
   * @returns the number of its entries, 0 when it is refused, with `reason`
   */
  openIndirectTable(): number {
    if (!this.#indirectAllowed) {
      this.fail('an indirect descriptor without VIRTIO_F_INDIRECT_DESC');
      return 0;
    }
    const length = this.#length;
    const entries = length / DESC_SIZE;
    if (!Number.isInteger(entries) || entries < 1 || entries > this.size) {
      this.fail(`an indirect table of ${length} bytes`);
      return 0;
    }
    if (this.#memory.read(this.#address, this.#indirectTable, 0, length)) return entries;
    this.fail('an indirect table is not in memory');
    return 0;
  }

  /** Reads an entry of the table that was opened last. */
  readIndirect(index: number): void {
    this.#decode(this.#indirectView, index * DESC_SIZE);
  }

  /** Adds the segment that was read last. @returns false when the chain breaks a rule by it, with `reason` */
  append(chain: DescriptorChain, isWritable: boolean): boolean {
    const { count } = chain;
    if (count >= this.size) return this.fail('the descriptor chain is longer than the queue');
    chain.addresses[count] = this.#address;
    chain.lengths[count] = this.#length;
    chain.count = count + 1;
    if (isWritable) {
      chain.writableLength += this.#length;
    } else {
      // "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements."
      if (chain.readableCount !== count)
        return this.fail('a readable descriptor after a writable one');
      chain.readableCount = count + 1;
      chain.readableLength += this.#length;
    }
    if (chain.readableLength + chain.writableLength > LARGEST_CHAIN) {
      return this.fail('a descriptor chain of more than 2^32 bytes');
    }
    return true;
  }

  fail(reason: string): false {
    this.reason = reason;
    return false;
  }

  #decode(view: DataView, offset: number): void {
    this.#address = joinLe64(
      view.getUint32(offset + DESC_ADDR, true),
      view.getUint32(offset + DESC_ADDR + 4, true),
    );
    this.#length = view.getUint32(offset + DESC_LEN, true);
    this.tail = view.getInt32(offset + DESC_TAIL, true);
  }
}
