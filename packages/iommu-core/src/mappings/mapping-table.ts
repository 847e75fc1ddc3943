/** MappingTable: the mappings of one domain: what decides about MAP and UNMAP, and what a backend in software translates by. */
import {
  type DomainMappings,
  type MappingVisitor,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
  type TranslationResult,
} from '../backend.ts';
import { NO_RECORD, RECORD_DELTA, RECORD_END, RECORD_FIELDS, RECORD_FLAGS } from './layout.ts';
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
 * are and however long they are. Addresses are in bytes, from 0 to 2^53 - 1; ends are inclusive.
 */
export class MappingTable implements DomainMappings {
  readonly #records = new MappingRecords();
  readonly #tree: StartTree;
  #size = 0;
  #largestSize = 0;

  /** @param granule in bytes, a power of two; every mapping starts at a multiple of it */
  constructor(granule: number) {
    this.#tree = new StartTree(this.#records, granule);
  }

  /** Number of mappings. */
  get size(): number {
    return this.#size;
  }

  /** Whether any mapping has an address in common with the range. */
  overlaps(start: number, end: number): boolean {
    const last = this.#tree.floor(end);
    return last !== NO_RECORD && this.#endOf(last) >= start;
  }

  /** Adds a mapping that overlaps none. */
  insert(virtStart: number, virtEnd: number, physStart: number, flags: number): void {
    this.#tree.insert(this.#records.add(virtStart, virtEnd, physStart, flags));
    this.#size += 1;
    if (this.#size > this.#largestSize) this.#largestSize = this.#size;
  }

  /** @returns SELECTED_NONE, SELECTED_WHOLE, or SELECTED_SPLIT when a mapping lies only partly in the range */
  select(start: number, end: number): number {
    const tree = this.#tree;
    const last = tree.floor(end);
    if (last === NO_RECORD || this.#endOf(last) < start) return SELECTED_NONE;
    if (this.#endOf(last) > end) return SELECTED_SPLIT;
    // Nothing before a mapping that starts where the range does can reach into the range.
    if (this.#startOf(last) === start) return SELECTED_WHOLE;
    const first = tree.floor(start);
    const isSplit =
      first !== NO_RECORD && this.#startOf(first) < start && this.#endOf(first) >= start;
    return isSplit ? SELECTED_SPLIT : SELECTED_WHOLE;
  }

  /**
   * Removes the mappings in a range that splits none.
   *
   * @returns how many they were
   */
  remove(start: number, end: number): number {
    const removed = this.#tree.remove(start, end);
    this.#size -= removed;
    if (this.#size === 0 && this.#largestSize > KEPT_SIZE) {
      this.#tree.clear();
      this.#records.clear();
      this.#largestSize = 0;
    }
    return removed;
  }

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    let record = this.#tree.guess(address);
    const { fields } = this.#records;
    let position = record * RECORD_FIELDS;
    if (
      record === NO_RECORD ||
      !(fields[position]! <= address && address <= fields[position + RECORD_END]!)
    ) {
      // Further on in a mapping that started pages before.
      record = this.#tree.floor(address);
      position = record * RECORD_FIELDS;
      if (record === NO_RECORD || fields[position + RECORD_END]! < address) {
        return TRANSLATION_NO_MAPPING;
      }
    }
    if ((fields[position + RECORD_FLAGS]! & access) !== access) return TRANSLATION_NO_MAPPING;
    const available = fields[position + RECORD_END]! - address + 1;
    out.physical = address + fields[position + RECORD_DELTA]!;
    out.length = available < length ? available : length;
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

  #startOf(record: number): number {
    return this.#records.fields[record * RECORD_FIELDS]!;
  }

  #endOf(record: number): number {
    return this.#records.fields[record * RECORD_FIELDS + RECORD_END]!;
  }
}
