/** ChainWalker: where the descriptors of a chain are read from, the queue or an indirect table, for the walkers of both layouts. */
import { createMemoryWindow } from '../memory/array-guest-memory.ts';
import {
  ACCESS_READ,
  type GuestMemory,
  type MemoryWindow,
  WINDOW_DENIED,
} from '../memory/guest-memory.ts';
import { DESC_SIZE, descriptorAreaSize, LARGEST_CHAIN } from './layout.ts';
import type { RingPart } from './ring-part.ts';
import type { DescriptorChain } from './virtqueue.ts';

/**
 * A walk reads each descriptor once: the driver could change it meanwhile. Its loop is written out in each layout's walker
 * and calls nothing on the way of a plain chain: V8 then keeps what it knows of the arrays, and a chain takes half the time.
 */
export abstract class ChainWalker {
  /** Why the last walk was refused. */
  reason = '';
  protected readonly size: number;
  /** What the queue's own descriptors are read from: see RingPart. */
  protected queueWords: Int32Array;
  protected queueStart = 0;
  protected isInPlace = false;
  /** What was opened last. */
  protected tableWords: Int32Array;
  protected tableStart = 0;
  readonly #memory: GuestMemory;
  readonly #descriptors: RingPart;
  readonly #indirectAllowed: boolean;
  readonly #window: MemoryWindow = createMemoryWindow();
  /** An indirect table that is not in sight is copied as a whole, in place of a message for each of its entries. */
  readonly #copy: Int32Array;
  readonly #copyBytes: Uint8Array;

  /** @param descriptors the descriptor area of a queue of `size` */
  constructor(memory: GuestMemory, descriptors: RingPart, size: number, indirectAllowed: boolean) {
    this.size = size;
    this.#memory = memory;
    this.#descriptors = descriptors;
    this.#indirectAllowed = indirectAllowed;
    this.#copy = new Int32Array(indirectAllowed ? descriptorAreaSize(size) / 4 : 0);
    this.#copyBytes = new Uint8Array(this.#copy.buffer);
    this.tableWords = this.#copy;
    this.queueWords = descriptors.words;
  }

  /** To be called when the descriptor area was looked up anew. */
  refresh(): void {
    this.queueWords = this.#descriptors.words;
    this.queueStart = this.#descriptors.start;
    this.isInPlace = this.#descriptors.isInPlace;
  }

  /** To be called before a descriptor of the queue is read that is not in place. @returns false when it is not in memory */
  protected fetch(index: number): boolean {
    return (
      this.#descriptors.fetch(index * DESC_SIZE, DESC_SIZE) ||
      this.refuse('a descriptor is not in memory')
    );
  }

  /**
   * Makes an indirect table ready to be read ("Indirect Descriptors").
   *
   * @param length in bytes
   * @returns the number of its descriptors; 0 when it is refused
   */
  protected openIndirectTable(address: number, length: number): number {
    if (!this.#indirectAllowed) {
      this.refuse('an indirect descriptor without VIRTIO_F_INDIRECT_DESC');
      return 0;
    }
    const entries = length / DESC_SIZE;
    if (!Number.isInteger(entries) || entries < 1 || entries > this.size) {
      this.refuse(`an indirect table of ${length} bytes`);
      return 0;
    }
    const window = this.#window;
    const run = this.#memory.window(address, length, ACCESS_READ, window);
    if (run === length && window.offset % 4 === 0 && window.words.length > 0) {
      this.tableWords = window.words;
      this.tableStart = window.offset / 4;
      return entries;
    }
    this.tableWords = this.#copy;
    this.tableStart = 0;
    if (run !== WINDOW_DENIED && this.#memory.read(address, this.#copyBytes, 0, length))
      return entries;
    this.refuse('an indirect table is not in memory');
    return 0;
  }

  /** Fills the chain when all of its segments are there. @returns false when it breaks a rule as a whole */
  protected finish(
    chain: DescriptorChain,
    count: number,
    readableCount: number,
    readableLength: number,
    writableLength: number,
  ): boolean {
    if (readableLength + writableLength > LARGEST_CHAIN)
      return this.refuse('a descriptor chain of more than 2^32 bytes');
    chain.count = count;
    chain.readableCount = readableCount;
    chain.readableLength = readableLength;
    chain.writableLength = writableLength;
    return true;
  }

  protected refuse(reason: string): false {
    this.reason = reason;
    return false;
  }
}
