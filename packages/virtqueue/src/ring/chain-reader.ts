/** ChainReader: reads descriptors, each once, and makes a chain of them by the rules that split and packed virtqueues share. */
import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import {
  ACCESS_READ,
  type GuestMemory,
  type MemoryWindow,
  WINDOW_DENIED,
} from '../memory/guest-memory.ts';
import { joinLe64 } from '../memory/le64.ts';
import { DESC_SIZE, descriptorAreaSize } from './layout.ts';
import type { RingPart } from './ring-part.ts';
import type { DescriptorChain } from './virtqueue.ts';

/** "a driver MUST NOT create a descriptor chain longer than 2^32 bytes in total" */
const LARGEST_CHAIN = 2 ** 32;

export class ChainReader {
  /** Why something was refused. */
  reason = '';
  /** The last four bytes of the descriptor that was read last, signed; each layout takes them apart. */
  tail = 0;
  /** The number of descriptors in what is read from: the queue, or an indirect table. */
  entries: number;
  readonly size: number;
  readonly #memory: GuestMemory;
  readonly #descriptors: RingPart;
  readonly #indirectAllowed: boolean;
  readonly #window: MemoryWindow = createMemoryWindow();
  /** An indirect table that is not in sight is copied as a whole, in place of a message for each of its entries. */
  readonly #copy: Int32Array;
  readonly #copyBytes: Uint8Array;
  /** What is read from, from the index `#start` on, unless the descriptors of the queue are copied one by one. */
  #words: Int32Array;
  #start = 0;
  #isInPlace = false;

  /** @param descriptors the descriptor area of a queue of `size` */
  constructor(memory: GuestMemory, descriptors: RingPart, size: number, indirectAllowed: boolean) {
    this.size = size;
    this.entries = size;
    this.#memory = memory;
    this.#descriptors = descriptors;
    this.#indirectAllowed = indirectAllowed;
    this.#copy = new Int32Array(indirectAllowed ? descriptorAreaSize(size) / 4 : 0);
    this.#copyBytes = new Uint8Array(this.#copy.buffer);
    this.#words = this.#copy;
  }

  /** Empties the chain, and reads from the queue. */
  begin(chain: DescriptorChain): void {
    chain.count = 0;
    chain.readableCount = 0;
    chain.readableLength = 0;
    chain.writableLength = 0;
    const descriptors = this.#descriptors;
    this.entries = this.size;
    this.#isInPlace = descriptors.isInPlace;
    this.#words = descriptors.words;
    this.#start = descriptors.start;
  }

  /**
   * Reads a descriptor; the driver could change it meanwhile, so nothing of it is looked at twice. Its address and length
   * go to where the next segment of the chain goes.
   *
   * @returns false when it is not in memory or one too many, with `reason`
   */
  read(index: number, chain: DescriptorChain): boolean {
    const { count } = chain;
    if (count >= this.size) return this.fail('the descriptor chain is longer than the queue');
    let at = this.#start + 4 * index;
    if (!this.#isInPlace) {
      this.#words = this.#descriptors.copyDescriptor(index * DESC_SIZE);
      if (this.#descriptors.failed) return this.fail('a descriptor is not in memory');
      at = 0;
    }
    const words = this.#words;
    chain.addresses[count] = joinLe64(words[at]! >>> 0, words[at + 1]! >>> 0);
    chain.lengths[count] = words[at + 2]!;
    this.tail = words[at + 3]!;
    return true;
  }

  /**
   * Reads on from the table that the descriptor which was read last refers to ("Indirect Descriptors").
   *
   * @returns false when it is refused, with `reason`
   */
  openIndirectTable(chain: DescriptorChain): boolean {
    if (!this.#indirectAllowed)
      return this.fail('an indirect descriptor without VIRTIO_F_INDIRECT_DESC');
    const address = chain.addresses[chain.count]!;
    const length = chain.lengths[chain.count]!;
    const entries = length / DESC_SIZE;
    if (!Number.isInteger(entries) || entries < 1 || entries > this.size)
      return this.fail(`an indirect table of ${length} bytes`);
    this.entries = entries;
    this.#isInPlace = true;
    const window = this.#window;
    const run = this.#memory.window(address, length, ACCESS_READ, window);
    if (run === length && window.offset % 4 === 0 && window.words.length > 0) {
      this.#words = window.words;
      this.#start = window.offset / 4;
      return true;
    }
    this.#words = this.#copy;
    this.#start = 0;
    const isThere = run !== WINDOW_DENIED && this.#memory.read(address, this.#copyBytes, 0, length);
    return isThere || this.fail('an indirect table is not in memory');
  }

  /** Adds the segment that was read last. @returns false when the chain breaks a rule by it, with `reason` */
  append(chain: DescriptorChain, isWritable: boolean): boolean {
    const { count } = chain;
    const length = chain.lengths[count]!;
    chain.count = count + 1;
    if (isWritable) {
      chain.writableLength += length;
      return true;
    }
    // "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements."
    if (chain.readableCount !== count)
      return this.fail('a readable descriptor after a writable one');
    chain.readableCount = count + 1;
    chain.readableLength += length;
    return true;
  }

  /** To be called when all segments are there. @returns false when the chain breaks a rule as a whole, with `reason` */
  end(chain: DescriptorChain): boolean {
    return (
      chain.readableLength + chain.writableLength <= LARGEST_CHAIN ||
      this.fail('a descriptor chain of more than 2^32 bytes')
    );
  }

  fail(reason: string): false {
    this.reason = reason;
    return false;
  }
}
