/** RadixTable: a rejected design: an I/O page table as hardware has it, nodes of 512 entries with leaves at every level. */
import { TRANSLATION_NO_MAPPING, TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import type { CandidateTable } from './candidate-table.ts';
import { MappingPool } from './mapping-pool.ts';
import { NODE_ENTRIES, NodePool } from './node-pool.ts';

const NOT_MAPPED = -1;
/** Bytes that one entry stands for, from the finest level to the root: 48 bits of address above 4 KiB. */
const SPANS = [2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39] as const;
const TOP = 3;

/**
 * An entry is 0 (nothing), a node number (a table one level down) or the complement of a mapping number (a leaf). A leaf
 * stands for as much as its level decodes, and names the mapping instead of an address, so a mapping takes few entries
 * however its physical address is aligned.
 */
export class RadixTable implements CandidateTable {
  readonly #nodes = new NodePool();
  readonly #mappings = new MappingPool();
  readonly #root = this.#nodes.allocate();

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    const mapping = this.#lookup(address);
    if (mapping === NOT_MAPPED) return TRANSLATION_NO_MAPPING;
    const { ends, deltas, flags } = this.#mappings;
    if ((flags[mapping]! & access) !== access) return TRANSLATION_NO_MAPPING;
    const available = ends[mapping]! - address + 1;
    out.physical = address + deltas[mapping]!;
    out.length = Math.min(available, length);
    out.bypass = false;
    return TRANSLATION_OK;
  }

  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean {
    if (!this.#isFree(this.#root, TOP, 0, virtStart, virtEnd)) return false;
    const mapping = this.#mappings.add(virtStart, virtEnd, physStart, flags);
    this.#insertInto(this.#root, TOP, 0, virtStart, virtEnd, ~mapping);
    return true;
  }

  unmap(virtStart: number, virtEnd: number): boolean {
    const { starts, ends } = this.#mappings;
    const first = this.#lookup(virtStart);
    if (first !== NOT_MAPPED && starts[first]! < virtStart) return false;
    const last = this.#lookup(virtEnd);
    if (last !== NOT_MAPPED && ends[last]! > virtEnd) return false;
    this.#removeFrom(this.#root, TOP, 0, virtStart, virtEnd);
    return true;
  }

  /** The mapping that covers the address, or NOT_MAPPED. */
  #lookup(address: number): number {
    const { entries } = this.#nodes;
    let node = this.#root;
    for (let level = TOP; level >= 0; level--) {
      const entry = entries[node * NODE_ENTRIES + indexAt(address, SPANS[level]!)]!;
      if (entry <= 0) {
        return entry === 0 ? NOT_MAPPED : ~entry;
      }
      node = entry;
    }
    return NOT_MAPPED;
  }

  /** @param base the first address that the node stands for */
  #isFree(node: number, level: number, base: number, start: number, end: number): boolean {
    const span = SPANS[level]!;
    const last = indexAt(end, span);
    for (let index = indexAt(start, span); index <= last; index++) {
      const entry = this.#nodes.entries[node * NODE_ENTRIES + index]!;
      if (entry < 0) return false;
      if (entry > 0) {
        const entryStart = base + index * span;
        const childStart = Math.max(start, entryStart);
        const childEnd = Math.min(end, entryStart + span - 1);
        if (!this.#isFree(entry, level - 1, entryStart, childStart, childEnd)) return false;
      }
    }
    return true;
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
    const span = SPANS[level]!;
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

  #removeFrom(node: number, level: number, base: number, start: number, end: number): void {
    const nodes = this.#nodes;
    const span = SPANS[level]!;
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

/** The quotient is exact, as spans are powers of two; `&` takes it modulo 2^32, which leaves the low bits right. */
function indexAt(address: number, span: number): number {
  return (address / span) & (NODE_ENTRIES - 1);
}
