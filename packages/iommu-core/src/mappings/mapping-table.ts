/** MappingTable: the mappings of one domain: what decides about MAP and UNMAP, and what a backend in software translates by. */
import {
  type DomainMappings,
  type MappingVisitor,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationResult,
} from '../backend.ts';
import {
  HEAD_FIELDS,
  HEAD_HIGH,
  HEAD_LOW,
  INDEX_MASK,
  LOW_MASK,
  LOW_SIZE,
  NODE_BITS,
  PAGE_ENTRIES,
  PAGE_FLAGS,
  PAGE_FLAGS_BITS,
  PAGE_FRAME_MASK,
  RECORD_DELTA,
  RECORD_END,
  RECORD_FIELDS,
  RECORD_FLAGS,
} from './layout.ts';
import type { AddressRange, Mapping } from './mapping.ts';
import { MappingRecords } from './mapping-records.ts';
import { RadixNodes } from './radix-nodes.ts';
import { StartSearch } from './start-search.ts';
import { StartTree } from './start-tree.ts';

/** What {@link MappingTable.select} answers. */
export const SELECTED_NONE = 0;
export const SELECTED_WHOLE = 1;
export const SELECTED_SPLIT = 2;

/** A table that has become empty gives its memory back when it once held more mappings than this. */
const KEPT_SIZE = 1024;

/**
 * Mappings never overlap. A look-up, an insertion and a removal cost a few steps of a tree each, however many mappings there
 * are and however long they are.
 *
 * Ranges are handed in as objects, which the caller owns and uses again: an address above 2^31 that is an argument of its
 * own is allocated whenever the call is not inlined.
 */
export class MappingTable implements DomainMappings {
  readonly #nodes = new RadixNodes();
  readonly #records = new MappingRecords();
  readonly #search: StartSearch;
  readonly #tree: StartTree;
  // Numbers from the start: what was undefined once is checked at each use, which costs translate a tenth.
  readonly #granule: number = 0;
  readonly #pagesPerByte: number = 0;
  #size = 0;
  #largestSize = 0;

  /** @param granule in bytes, a power of two; every mapping starts at a multiple of it */
  constructor(granule: number) {
    this.#granule = granule;
    this.#pagesPerByte = 1 / granule;
    this.#search = new StartSearch(this.#nodes, this.#records, granule);
    this.#tree = new StartTree(this.#nodes, this.#records, this.#search, granule);
  }

  /** Number of mappings. */
  get size(): number {
    return this.#size;
  }

  /** Whether any mapping has an address in common with the range. */
  overlaps(range: AddressRange): boolean {
    const endPage = range.virtEnd * this.#pagesPerByte;
    const search = this.#search;
    return (
      search.floor((endPage / LOW_SIZE) | 0, endPage & LOW_MASK) &&
      search.found.virtEnd >= range.virtStart
    );
  }

  /** Adds a mapping that overlaps none. */
  insert(mapping: Mapping): void {
    this.#tree.insert(mapping);
    this.#size += 1;
    if (this.#size > this.#largestSize) this.#largestSize = this.#size;
  }

  /** @returns SELECTED_NONE, SELECTED_WHOLE, or SELECTED_SPLIT when a mapping lies only partly in the range */
  select({ virtStart, virtEnd }: AddressRange): number {
    const search = this.#search;
    const { found } = search;
    const endPage = virtEnd * this.#pagesPerByte;
    const hasLast = search.floor((endPage / LOW_SIZE) | 0, endPage & LOW_MASK);
    if (!hasLast || found.virtEnd < virtStart) return SELECTED_NONE;
    if (found.virtEnd > virtEnd) return SELECTED_SPLIT;
    // Nothing before a mapping that starts where the range does can reach into the range.
    if (found.virtStart === virtStart) return SELECTED_WHOLE;
    const page = virtStart * this.#pagesPerByte;
    const isSplit =
      search.floor((page / LOW_SIZE) | 0, page & LOW_MASK) &&
      found.virtStart < virtStart &&
      found.virtEnd >= virtStart;
    return isSplit ? SELECTED_SPLIT : SELECTED_WHOLE;
  }

  /**
   * Removes the mappings in a range that splits none.
   *
   * @returns how many they were
   */
  remove({ virtStart, virtEnd }: AddressRange): number {
    const startPage = virtStart * this.#pagesPerByte;
    const endPage = virtEnd * this.#pagesPerByte;
    const removed = this.#tree.remove(
      (startPage / LOW_SIZE) | 0,
      startPage & LOW_MASK,
      (endPage / LOW_SIZE) | 0,
      endPage & LOW_MASK,
    );
    this.#size -= removed;
    if (this.#size === 0 && this.#largestSize > KEPT_SIZE) this.#giveBack();
    return removed;
  }

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    const page = address * this.#pagesPerByte;
    const high = (page / LOW_SIZE) | 0;
    const low = page & LOW_MASK;
    const nodes = this.#nodes;
    const position = nodes.walk(high, low);
    const entry = nodes.entries[position]!;
    const { heads } = nodes;
    const head = (position >>> NODE_BITS) * HEAD_FIELDS;
    let physical: number;
    // Bytes behind the first that are in the same mapping.
    let further: number;
    let flags: number;
    if (
      entry < PAGE_ENTRIES &&
      heads[head + HEAD_LOW] === (low & ~INDEX_MASK) &&
      heads[head + HEAD_HIGH] === high
    ) {
      const granule = this.#granule;
      const offset = (page - Math.floor(page)) * granule;
      physical = ((entry >>> PAGE_FLAGS_BITS) & PAGE_FRAME_MASK) * granule + offset;
      further = granule - offset - 1;
      flags = entry & PAGE_FLAGS;
    } else {
      const { fields } = this.#records;
      let record = (~entry * RECORD_FIELDS) | 0;
      if (
        entry >= 0 ||
        entry < PAGE_ENTRIES ||
        fields[record]! > address ||
        fields[record + RECORD_END]! < address
      ) {
        // Further on in a mapping that started pages before, if in any; one of a single page does not.
        const floor = this.#search.floorEntry(high, low);
        record = (~floor * RECORD_FIELDS) | 0;
        if (floor >= 0 || floor < PAGE_ENTRIES || fields[record + RECORD_END]! < address) {
          return TRANSLATION_NO_MAPPING;
        }
      }
      physical = address + fields[record + RECORD_DELTA]!;
      further = fields[record + RECORD_END]! - address;
      flags = fields[record + RECORD_FLAGS]! | 0;
    }
    if ((flags & access) !== access) return TRANSLATION_NO_MAPPING;
    out.physical = physical;
    out.length = length <= further ? length : further + 1;
    out.bypass = false;
    return TRANSLATION_OK;
  }

  /** The mapping that covers an address, to look at. */
  find(address: number): Mapping | undefined {
    const page = address * this.#pagesPerByte;
    const search = this.#search;
    if (!search.floor((page / LOW_SIZE) | 0, page & LOW_MASK)) return undefined;
    const { virtStart, virtEnd } = search.found;
    if (virtEnd < address) return undefined;
    const found: Mapping = { virtStart, virtEnd, physStart: 0, flags: 0 };
    this.#tree.visit(virtStart, virtStart, (mapping) => Object.assign(found, mapping));
    return found;
  }

  visit(virtStart: number, virtEnd: number, visitor: MappingVisitor): void {
    this.#tree.visit(virtStart, virtEnd, (mapping) =>
      visitor(mapping.virtStart, mapping.virtEnd, mapping.physStart, mapping.flags),
    );
  }

  #giveBack(): void {
    this.#nodes.clear();
    this.#records.clear();
    this.#search.forget();
    this.#largestSize = 0;
  }
}
