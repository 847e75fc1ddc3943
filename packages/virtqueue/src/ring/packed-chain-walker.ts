/** PackedChainWalker: follows one list of descriptors of a packed virtqueue, direct or indirect ("Scatter-Gather Support"). */
import { joinLe64 } from '../memory/le64.ts';
import { ChainWalker } from './chain-walker.ts';
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from './layout.ts';
import {
  AVAIL_AND_USED,
  type PackedPosition,
  TAIL_FLAGS_SHIFT,
  TAIL_ID_MASK,
} from './packed-layout.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class PackedChainWalker extends ChainWalker {
  /**
   * Leaves the buffer ID in the chain's `head`.
   *
   * @param headTail the last four bytes of the descriptor at `position`, which were read before the rest of it
   * @param room the number of descriptors that the driver may have made available
   * @returns how many descriptors of the ring the list takes, 0 when it breaks a rule, with the `reason`
   */
  walk(position: PackedPosition, headTail: number, room: number, chain: DescriptorChain): number {
    const { addresses, lengths } = chain;
    const size = this.size | 0;
    const isInPlace = this.isInPlace === true;
    const words = this.queueWords;
    const start = this.queueStart | 0;
    let index = position.offset | 0;
    let available = position.availableFlags | 0;
    let tail = headTail | 0;
    let count = 0;
    let readableCount = 0;
    let readableLength = 0;
    let writableLength = 0;
    for (;;) {
      if (count >= room) return this.#refuse('more descriptors are available than the queue has');
      if (!isInPlace && !this.fetch(index)) return 0;
      const at = (start + 4 * index) | 0;
      if (count > 0) tail = words[at + 3]!;
      const flags = tail >>> TAIL_FLAGS_SHIFT;
      // "A device MUST NOT use a descriptor unless it observes the VIRTQ_DESC_F_AVAIL bit in its flags being changed"
      if ((flags & AVAIL_AND_USED) !== available)
        return this.#refuse('a list goes on in descriptors that are not available');
      const length = words[at + 2]! >>> 0;
      addresses[count] = joinLe64(words[at]! >>> 0, words[at + 1]! >>> 0);
      lengths[count] = length;
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0) {
        // "A driver MUST NOT write direct descriptors with VIRTQ_DESC_F_INDIRECT set in a scatter-gather list linked by
        // VIRTQ_DESC_F_NEXT."
        if (count > 0 || (flags & VIRTQ_DESC_F_NEXT) !== 0)
          return this.#refuse('an indirect descriptor in a list of others');
        chain.head = tail & TAIL_ID_MASK;
        return this.#walkIndirect(addresses[count]!, length, chain) ? 1 : 0;
      }
      if ((flags & VIRTQ_DESC_F_WRITE) !== 0) {
        writableLength += length;
      } else {
        // "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements."
        if (readableCount !== count)
          return this.#refuse('a readable descriptor after a writable one');
        readableCount = (count + 1) | 0;
        readableLength += length;
      }
      count = (count + 1) | 0;
      if ((flags & VIRTQ_DESC_F_NEXT) === 0) break;
      index = (index + 1) | 0;
      if (index === size) {
        index = 0;
        available ^= AVAIL_AND_USED;
      }
    }
    chain.head = tail & TAIL_ID_MASK;
    return this.finish(chain, count, readableCount, readableLength, writableLength) ? count : 0;
  }

  /** Of flags in the table, VIRTQ_DESC_F_WRITE alone counts: "Others are reserved and are ignored by the device." */
  #walkIndirect(address: number, tableLength: number, chain: DescriptorChain): boolean {
    const { addresses, lengths } = chain;
    const entries = this.openIndirectTable(address, tableLength) | 0;
    if (entries === 0) return false;
    const words = this.tableWords;
    let at = this.tableStart | 0;
    let readableCount = 0;
    let readableLength = 0;
    let writableLength = 0;
    for (let count = 0; count < entries; count += 1) {
      const length = words[at + 2]! >>> 0;
      addresses[count] = joinLe64(words[at]! >>> 0, words[at + 1]! >>> 0);
      lengths[count] = length;
      if (((words[at + 3]! >>> TAIL_FLAGS_SHIFT) & VIRTQ_DESC_F_WRITE) !== 0) {
        writableLength += length;
      } else {
        if (readableCount !== count)
          return this.refuse('a readable descriptor after a writable one');
        readableCount = (count + 1) | 0;
        readableLength += length;
      }
      at = (at + 4) | 0;
    }
    return this.finish(chain, entries, readableCount, readableLength, writableLength);
  }

  #refuse(reason: string): 0 {
    this.refuse(reason);
    return 0;
  }
}
