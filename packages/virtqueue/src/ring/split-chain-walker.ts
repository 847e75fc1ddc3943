/** SplitChainWalker: follows one chain of a split virtqueue, direct or indirect ("The Virtqueue Descriptor Table"). */
import { joinLe64 } from '../memory/le64.ts';
import { ChainWalker } from './chain-walker.ts';
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from './layout.ts';
import { TAIL_NEXT_SHIFT } from './split-layout.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class SplitChainWalker extends ChainWalker {
  /** @returns false when the chain breaks a rule, with the `reason` */
  walk(head: number, chain: DescriptorChain): boolean {
    const { addresses, lengths } = chain;
    let isInPlace = this.isInPlace === true;
    let words = this.queueWords;
    let start = this.queueStart | 0;
    let entries = this.size | 0;
    let isIndirect = false;
    let index = head | 0;
    let count = 0;
    let readableCount = 0;
    let readableLength = 0;
    let writableLength = 0;
    // A chain that is longer than the table is a loop.
    let room = entries;
    for (;;) {
      if (index >= entries) return this.#refuseIndex(index, isIndirect);
      if (!isInPlace && !this.fetch(index)) return false;
      const at = (start + 4 * index) | 0;
      const length = words[at + 2]! >>> 0;
      const tail = words[at + 3]!;
      if (count >= room)
        return this.refuse('the descriptor chain is longer than the queue, or a loop');
      addresses[count] = joinLe64(words[at]! >>> 0, words[at + 1]! >>> 0);
      lengths[count] = length;
      if ((tail & VIRTQ_DESC_F_INDIRECT) !== 0) {
        // "A driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor"
        if (isIndirect) return this.refuse('an indirect table inside another');
        // "A driver MUST NOT set both VIRTQ_DESC_F_INDIRECT and VIRTQ_DESC_F_NEXT in flags."
        if ((tail & VIRTQ_DESC_F_NEXT) !== 0)
          return this.refuse('an indirect descriptor has a next one');
        entries = this.openIndirectTable(addresses[count]!, length) | 0;
        if (entries === 0) return false;
        room = Math.min(room, count + entries);
        words = this.tableWords;
        start = this.tableStart | 0;
        isInPlace = true;
        isIndirect = true;
        index = 0;
        continue;
      }
      if ((tail & VIRTQ_DESC_F_WRITE) !== 0) {
        writableLength += length;
      } else {
        // "The driver MUST place any device-writable descriptor elements after any device-readable descriptor elements."
        if (readableCount !== count)
          return this.refuse('a readable descriptor after a writable one');
        readableCount = (count + 1) | 0;
        readableLength += length;
      }
      count = (count + 1) | 0;
      if ((tail & VIRTQ_DESC_F_NEXT) === 0) break;
      index = tail >>> TAIL_NEXT_SHIFT;
    }
    chain.head = head;
    return this.finish(chain, count, readableCount, readableLength, writableLength);
  }

  #refuseIndex(index: number, isIndirect: boolean): false {
    const table = isIndirect ? 'indirect table' : 'queue';
    return this.refuse(`descriptor index ${index} is beyond the ${table}`);
  }
}
