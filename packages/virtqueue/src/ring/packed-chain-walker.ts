/** PackedChainWalker: follows one list of descriptors of a packed virtqueue, direct or indirect ("Scatter-Gather Support"). */
import type { ChainReader } from './chain-reader.ts';
import { VIRTQ_DESC_F_INDIRECT, VIRTQ_DESC_F_NEXT, VIRTQ_DESC_F_WRITE } from './layout.ts';
import {
  AVAIL_AND_USED,
  type PackedPosition,
  TAIL_FLAGS_SHIFT,
  TAIL_ID_MASK,
} from './packed-layout.ts';
import type { DescriptorChain } from './virtqueue.ts';

export class PackedChainWalker {
  readonly #reader: ChainReader;

  constructor(reader: ChainReader) {
    this.#reader = reader;
  }

  /**
   * Leaves the buffer ID in the chain's `head`.
   *
   * @param headTail the last four bytes of the descriptor at `position`, which were read before the rest of it
   * @param room the number of descriptors that the driver may have made available
   * @returns how many descriptors of the ring the list takes, 0 when it breaks a rule, with the reader's `reason`
   */
  walk(position: PackedPosition, headTail: number, room: number, chain: DescriptorChain): number {
    const reader = this.#reader;
    reader.begin(chain);
    let index = position.offset;
    let available = position.availableFlags;
    let tail = headTail;
    for (let taken = 1; taken <= room; taken += 1) {
      if (!reader.read(index, chain)) return 0;
      if (taken > 1) tail = reader.tail;
      const flags = tail >>> TAIL_FLAGS_SHIFT;
      // "A device MUST NOT use a descriptor unless it observes the VIRTQ_DESC_F_AVAIL bit in its flags being changed"
      if ((flags & AVAIL_AND_USED) !== available)
        return this.#fail('a list goes on in descriptors that are not available');
      const isLast = (flags & VIRTQ_DESC_F_NEXT) === 0;
      if (isLast) chain.head = tail & TAIL_ID_MASK;
      if ((flags & VIRTQ_DESC_F_INDIRECT) !== 0) {
        // "A driver MUST NOT write direct descriptors with VIRTQ_DESC_F_INDIRECT set in a scatter-gather list linked by
        // VIRTQ_DESC_F_NEXT."
        if (taken > 1 || !isLast) return this.#fail('an indirect descriptor in a list of others');
        return this.#walkIndirect(chain) ? 1 : 0;
      }
      if (!reader.append(chain, (flags & VIRTQ_DESC_F_WRITE) !== 0)) return 0;
      if (isLast) return reader.end(chain) ? taken : 0;
      index += 1;
      if (index === reader.size) {
        index = 0;
        available ^= AVAIL_AND_USED;
      }
    }
    return this.#fail('more descriptors are available than the queue has');
  }

  /** Of flags in the table, VIRTQ_DESC_F_WRITE alone counts: "Others are reserved and are ignored by the device." */
  #walkIndirect(chain: DescriptorChain): boolean {
    const reader = this.#reader;
    if (!reader.openIndirectTable(chain)) return false;
    const { entries } = reader;
    for (let index = 0; index < entries; index += 1) {
      if (!reader.read(index, chain)) return false;
      const isWritable = ((reader.tail >>> TAIL_FLAGS_SHIFT) & VIRTQ_DESC_F_WRITE) !== 0;
      if (!reader.append(chain, isWritable)) return false;
    }
    return reader.end(chain);
  }

  #fail(reason: string): 0 {
    this.#reader.fail(reason);
    return 0;
  }
}
