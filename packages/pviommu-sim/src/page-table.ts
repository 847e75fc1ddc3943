/** The I/O page table of one domain: a radix tree with leaves at every level. */
import type { MappingPool } from './mapping-pool.ts';
import { NODE_BITS, NODE_ENTRIES, type NodePool } from './node-pool.ts';

/** What {@link PageTable.lookup} answers when no mapping covers the address. */
export const NOT_MAPPED = -1;

/**
 * An entry is 0 (nothing), a node number (a table one level down) or the complement of a mapping number (a leaf). A leaf
 * stands for as much as its level decodes, and names the mapping instead of an address, so a mapping takes few entries
 * however its physical address is aligned.
 */
export class PageTable {
  readonly #nodes: NodePool;
  readonly #mappings: MappingPool;
  readonly #root: number;
  /** Bytes that one entry stands for, by level; level 0 is the finest. */
  readonly #spans: readonly number[];

  /** Takes one node; the caller has made sure that one is available. */
  constructor(nodes: NodePool, mappings: MappingPool, spans: readonly number[]) {
    this.#nodes = nodes;
    this.#mappings = mappings;
    this.#spans = spans;
    this.#root = nodes.allocate();
  }

  /** The mapping that covers the address, or {@link NOT_MAPPED}. */
  lookup(address: number): number {
    const { entries } = this.#nodes;
    const spans = this.#spans;
    let node = this.#root;
    for (let level = spans.length - 1; level >= 0; level--) {
      const entry = entries[node * NODE_ENTRIES + indexAt(address, spans[level]!)]!;
      if (entry <= 0) {
        return entry === 0 ? NOT_MAPPED : ~entry;
      }
      node = entry;
    }
    return NOT_MAPPED;
  }

  /** Nodes that a new mapping may need at most: both its edges may need one on each level below the root. */
  get nodesPerMapping(): number {
    return 2 * (this.#spans.length - 1);
  }

  /** Adds a mapping that overlaps none; `nodesPerMapping` nodes are available. */
  insert(mapping: number): void {
    const { starts, ends } = this.#mappings;
    this.#insertInto(this.#root, this.#top, 0, starts[mapping]!, ends[mapping]!, ~mapping);
  }

  /** Removes the mappings in a range, which covers each of them whole, and the nodes that they leave empty. */
  remove(start: number, end: number): void {
    this.#removeFrom(this.#root, this.#top, 0, start, end);
  }

  /**
   * Removes all mappings and gives back the root.
   *
   * @param inputEnd the largest address that could be mapped
   */
  destroy(inputEnd: number): void {
    this.remove(0, inputEnd);
    this.#nodes.release(this.#root);
  }

  /** Shows each mapping in a range, which covers it whole, once. */
  visit(start: number, end: number, visitor: (mapping: number) => void): void {
    this.#visitFrom(this.#root, this.#top, 0, start, end, visitor);
  }

  get #top(): number {
    return this.#spans.length - 1;
  }

  /** @param base the first address that the node stands for */
  #insertInto(
    node: number,
    level: number,
    base: number,
    start: number,
    end: number,
    leaf: number,
  ): void {
    const nodes = this.#nodes;
    const span = this.#spans[level]!;
    const first = indexAt(start, span);
    const last = indexAt(end, span);
    for (let index = first; index <= last; index++) {
      const position = node * NODE_ENTRIES + index;
      const entryStart = base + index * span;
      const entryEnd = entryStart + span - 1;
      if (start <= entryStart && entryEnd <= end) {
        nodes.set(position, leaf);
        continue;
      }
      let child = nodes.entries[position]!;
      if (child === 0) {
        child = nodes.allocate();
        nodes.set(position, child);
      }
      const childStart = Math.max(start, entryStart);
      this.#insertInto(child, level - 1, entryStart, childStart, Math.min(end, entryEnd), leaf);
    }
  }

  #visitFrom(
    node: number,
    level: number,
    base: number,
    start: number,
    end: number,
    visitor: (mapping: number) => void,
  ): void {
    const span = this.#spans[level]!;
    const last = indexAt(end, span);
    for (let index = indexAt(start, span); index <= last; index++) {
      const entry = this.#nodes.entries[node * NODE_ENTRIES + index]!;
      const entryStart = base + index * span;
      const entryEnd = entryStart + span - 1;
      if (entry < 0) {
        // Of a mapping's leaves the last one stands for it.
        if (this.#mappings.ends[~entry] === entryEnd) visitor(~entry);
      } else if (entry > 0) {
        const childStart = Math.max(start, entryStart);
        const childEnd = Math.min(end, entryEnd);
        this.#visitFrom(entry, level - 1, entryStart, childStart, childEnd, visitor);
      }
    }
  }

  #removeFrom(node: number, level: number, base: number, start: number, end: number): void {
    const nodes = this.#nodes;
    const span = this.#spans[level]!;
    const first = indexAt(start, span);
    const last = indexAt(end, span);
    for (let index = first; index <= last; index++) {
      const position = node * NODE_ENTRIES + index;
      const entry = nodes.entries[position]!;
      const entryStart = base + index * span;
      const entryEnd = entryStart + span - 1;
      if (entry < 0) {
        nodes.clear(position);
        // The last of its leaves takes the mapping itself along.
        if (this.#mappings.ends[~entry] === entryEnd) {
          this.#mappings.remove(~entry);
        }
      } else if (entry > 0) {
        const childStart = Math.max(start, entryStart);
        this.#removeFrom(entry, level - 1, entryStart, childStart, Math.min(end, entryEnd));
        if (nodes.isEmpty(entry)) {
          nodes.clear(position);
          nodes.release(entry);
        }
      }
    }
  }
}

/**
 * Bytes that one entry stands for, from the finest level to the root.
 *
 * @param inputBits bits of a virtual address
 * @param granuleBits bits that are not translated; fewer than `inputBits`
 */
export function levelSpans(inputBits: number, granuleBits: number): readonly number[] {
  const spans: number[] = [];
  for (let bits = granuleBits; bits < inputBits; bits += NODE_BITS) {
    spans.push(2 ** bits);
  }
  return spans;
}

/** The quotient is exact, as spans are powers of two; `&` takes it modulo 2^32, which leaves the low bits right. */
function indexAt(address: number, span: number): number {
  return (address / span) & (NODE_ENTRIES - 1);
}
