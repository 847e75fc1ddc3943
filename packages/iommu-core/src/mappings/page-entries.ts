/** PageEntries: mappings of one page that are an entry of the tree: their frame and flags, and no record. */

import {
  HEAD_FIELDS,
  HEAD_HIGH,
  HEAD_LOW,
  INDEX_MASK,
  LOW_SIZE,
  NODE_BITS,
  PAGE_ENTRY,
  PAGE_FLAGS,
  PAGE_FLAGS_BITS,
  PAGE_FRAME_MASK,
} from './layout.ts';
import type { Mapping } from './mapping.ts';
import type { RadixNodes } from './radix-nodes.ts';

/** Where such an entry is in its node says which page it is, so it can be in nodes of the lowest level alone. */
export class PageEntries {
  readonly #nodes: RadixNodes;
  readonly #granule: number;
  readonly #pagesPerByte: number;

  /** @param granule in bytes */
  constructor(nodes: RadixNodes, granule: number) {
    this.#nodes = nodes;
    this.#granule = granule;
    this.#pagesPerByte = 1 / granule;
  }

  /** @returns 0 for a mapping that needs a record: it is longer, or an entry has no room for its frame or its flags */
  entryOf({ virtStart, virtEnd, physStart, flags }: Mapping): number {
    const frame = physStart * this.#pagesPerByte;
    const fits =
      virtEnd - virtStart < this.#granule &&
      frame <= PAGE_FRAME_MASK &&
      Math.floor(frame) === frame &&
      (flags & PAGE_FLAGS) === flags;
    return fits ? PAGE_ENTRY | (frame << PAGE_FLAGS_BITS) | flags : 0;
  }

  /** Fills a mapping with what the entry at a position says. */
  read(position: number, mapping: Mapping): void {
    const { entries, heads } = this.#nodes;
    const entry = entries[position]!;
    const head = (position >>> NODE_BITS) * HEAD_FIELDS;
    const low = heads[head + HEAD_LOW]! + (position & INDEX_MASK);
    const start = (heads[head + HEAD_HIGH]! * LOW_SIZE + low) * this.#granule;
    mapping.virtStart = start;
    mapping.virtEnd = start + this.#granule - 1;
    mapping.physStart = ((entry >>> PAGE_FLAGS_BITS) & PAGE_FRAME_MASK) * this.#granule;
    mapping.flags = entry & PAGE_FLAGS;
  }
}
