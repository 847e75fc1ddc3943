/** MappingTable: the mappings of one domain: what decides about MAP and UNMAP, and what a backend in software translates by. */
import {
  type DomainMappings,
  type MappingVisitor,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationResult,
} from '../backend.ts';
import {
  LOW_MASK,
  LOW_SIZE,
  NO_RECORD,
  RECORD_DELTA,
  RECORD_END,
  RECORD_FIELDS,
  RECORD_FLAGS,
} from './layout.ts';
import type { AddressRange, Mapping } from './mapping.ts';
import { MappingRecords } from './mapping-records.ts';
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
  readonly #records = new MappingRecords();
  readonly #tree: StartTree;
  readonly #pagesPerByte: number;
  #size = 0;
  #largestSize = 0;

  /** @param granule in bytes, a power of two; every mapping starts at a multiple of it */
  constructor(granule: number) {
    this.#pagesPerByte = 1 / granule;
    this.#tree = new StartTree(this.#records, this.#pagesPerByte);
  }

  /** Number of mappings. */
  get size(): number {
    return this.#size;
  }

  /** Whether any mapping has an address in common with the range. */
  overlaps(range: AddressRange): boolean {
    const endPage = range.virtEnd * this.#pagesPerByte;
    const last = this.#tree.floor((endPage / LOW_SIZE) | 0, endPage & LOW_MASK);
    return last !== NO_RECORD && this.#endOf(last) >= range.virtStart;
  }

  /** Adds a mapping that overlaps none. */
  insert(mapping: Mapping): void {
    const record = this.#records.add(mapping);
    const page = mapping.virtStart * this.#pagesPerByte;
    this.#tree.insert(record, (page / LOW_SIZE) | 0, page & LOW_MASK);
    this.#size += 1;
    if (this.#size > this.#largestSize) this.#largestSize = this.#size;
  }

  /** @returns SELECTED_NONE, SELECTED_WHOLE, or SELECTED_SPLIT when a mapping lies only partly in the range */
  select({ virtStart, virtEnd }: AddressRange): number {
    const tree = this.#tree;
    const endPage = virtEnd * this.#pagesPerByte;
    const last = tree.floor((endPage / LOW_SIZE) | 0, endPage & LOW_MASK);
    if (last === NO_RECORD || this.#endOf(last) < virtStart) return SELECTED_NONE;
    if (this.#endOf(last) > virtEnd) return SELECTED_SPLIT;
    // Nothing before a mapping that starts where the range does can reach into the range.
    if (this.#startOf(last) === virtStart) return SELECTED_WHOLE;
    const page = virtStart * this.#pagesPerByte;
    const first = tree.floor((page / LOW_SIZE) | 0, page & LOW_MASK);
    const isSplit =
      first !== NO_RECORD && this.#startOf(first) < virtStart && this.#endOf(first) >= virtStart;
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
    let record = this.#tree.guess(high, low);
    const { fields } = this.#records;
    let position = record * RECORD_FIELDS;
    if (
      record === NO_RECORD ||
      !(fields[position]! <= address && address <= fields[position + RECORD_END]!)
    ) {
      // Further on in a mapping that started pages before.
      record = this.#tree.floor(high, low);
      position = record * RECORD_FIELDS;
      if (record === NO_RECORD || fields[position + RECORD_END]! < address) {
        return TRANSLATION_NO_MAPPING;
      }
    }
    if ((fields[position + RECORD_FLAGS]! & access) !== access) return TRANSLATION_NO_MAPPING;
    const further = fields[position + RECORD_END]! - address;
    out.physical = address + fields[position + RECORD_DELTA]!;
    out.length = length <= further ? length : further + 1;
    out.bypass = false;
    return TRANSLATION_OK;
  }

  visit(virtStart: number, virtEnd: number, visitor: MappingVisitor): void {
    this.#tree.visit(virtStart, virtEnd, (record) => {
      const { fields } = this.#records;
      const position = record * RECORD_FIELDS;
      const start = fields[position]!;
      const physStart = start + fields[position + RECORD_DELTA]!;
      visitor(start, fields[position + RECORD_END]!, physStart, fields[position + RECORD_FLAGS]!);
    });
  }

  #giveBack(): void {
    this.#tree.clear();
    this.#records.clear();
    this.#largestSize = 0;
  }

  #startOf(record: number): number {
    return this.#records.fields[record * RECORD_FIELDS]!;
  }

  #endOf(record: number): number {
    return this.#records.fields[record * RECORD_FIELDS + RECORD_END]!;
  }
}
