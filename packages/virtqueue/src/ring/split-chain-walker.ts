/** SplitChainWalker: follows one chain of a split virtqueue, direct or indirect ("The Virtqueue Descriptor Table"). */
import type { ChainReader } from './chain-reader.ts';
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from './layout.ts';
import { TAIL_NEXT_SHIFT } from './split-layout.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class SplitChainWalker {
  readonly #reader: ChainReader;

  constructor(reader: ChainReader) {
    this.#reader = reader;
  }

  /** @returns false when the chain breaks a rule, with the reader's `reason` */
  walk(head: number, chain: DescriptorChain): boolean {
    this.#reader.begin(chain);
    chain.head = head;
    return this.#follow(head, chain, false);
  }

  #follow(first: number, chain: DescriptorChain, isIndirect: boolean): boolean {
    const reader = this.#reader;
    const { entries } = reader;
    let index = first;
    // A chain that is longer than the table is a loop.
    for (let visited = 0; visited < entries; visited += 1) {
      if (index >= entries) {
        const table = isIndirect ? 'indirect table' : 'queue';
        return reader.fail(`descriptor index ${index} is beyond the ${table}`);
      }
      if (!reader.read(index, chain)) return false;
      const flags = reader.tail;
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0) return this.#enterTable(flags, chain, isIndirect);
      if (!reader.append(chain, (flags & VIRTQ_DESC_F_WRITE) !== 0)) return false;
      if ((flags & VIRTQ_DESC_F_NEXT) === 0) return reader.end(chain);
      index = flags >>> TAIL_NEXT_SHIFT;
    }
    return reader.fail('the descriptor chain is a loop');
  }

  #enterTable(flags: number, chain: DescriptorChain, isIndirect: boolean): boolean {
    const reader = this.#reader;
    // "A driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor"
    if (isIndirect) return reader.fail('an indirect table inside another');
    // "A driver MUST NOT set both VIRTQ_DESC_F_INDIRECT and VIRTQ_DESC_F_NEXT in flags."
    if ((flags & VIRTQ_DESC_F_NEXT) !== 0)
      return reader.fail('an indirect descriptor has a next one');
    return reader.openIndirectTable(chain) && this.#follow(0, chain, true);
  }
}
