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
    const reader = this.#reader;
    reader.begin(chain);
    chain.head = head;
    let index = head;
    // A chain that is longer than the table is a loop.
    for (let visited = 0; visited < reader.size; visited += 1) {
      if (index >= reader.size) return reader.fail(`descriptor index ${index} is beyond the queue`);
      if (!reader.read(index)) return false;
      const flags = reader.tail;
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0) return this.#walkIndirect(chain);
      if (!reader.append(chain, (flags & VIRTQ_DESC_F_WRITE) !== 0)) return false;
      if ((flags & VIRTQ_DESC_F_NEXT) === 0) return true;
      index = flags >>> TAIL_NEXT_SHIFT;
    }
    return reader.fail('the descriptor chain is a loop');
  }

  #walkIndirect(chain: DescriptorChain): boolean {
    const reader = this.#reader;
    // "A driver MUST NOT set both VIRTQ_DESC_F_INDIRECT and VIRTQ_DESC_F_NEXT in flags."
    if ((reader.tail & VIRTQ_DESC_F_NEXT) !== 0)
      return reader.fail('an indirect descriptor has a next one');
    const entries = reader.openIndirectTable();
    if (entries === 0) return false;
    let index = 0;
    for (let visited = 0; visited < entries; visited += 1) {
      if (index >= entries) return reader.fail(`index ${index} is beyond the indirect table`);
      reader.readIndirect(index);
      const flags = reader.tail;
      // "A driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor"
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0)
        return reader.fail('an indirect table inside another');
      if (!reader.append(chain, (flags & VIRTQ_DESC_F_WRITE) !== 0)) return false;
      if ((flags & VIRTQ_DESC_F_NEXT) === 0) return true;
      index = flags >>> TAIL_NEXT_SHIFT;
    }
    return reader.fail('the indirect table is a loop');
  }
}
