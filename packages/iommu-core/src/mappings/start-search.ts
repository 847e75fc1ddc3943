/** StartSearch: finds mappings in the tree of where they start. */
import {
  HEAD_FIELDS,
  HEAD_HIGH,
  HEAD_LEVEL,
  HEAD_LOW,
  HEAD_OCCUPIED,
  HIGH_LEVEL,
  INDEX_MASK,
  LEVEL_BITS,
  LEVEL_MASK,
  LOW_MASK,
  LOW_SIZE,
  NO_DIVERGENCE,
  NODE_BITS,
  NODE_ENTRIES,
  NOWHERE,
  PAGE_ENTRIES,
  RECORD_END,
  RECORD_FIELDS,
  ROOT,
} from './layout.ts';
import { divergenceOf, firstPosition, indexAt } from './levels.ts';
import type { AddressRange } from './mapping.ts';
import type { MappingRecords } from './mapping-records.ts';
import { highestBit, type RadixNodes } from './radix-nodes.ts';

/** No page, of those that a search can be for. */
const NOTHING_SOUGHT = -1;

/**
 * The last search is kept: a MAP looks and then inserts, an UNMAP looks and then removes.
 *
 * A page's number comes as two integers, `high` and `low`: a number above 2^31 would be allocated at each call that V8
 * does not inline, 16 bytes every time.
 */
export class StartSearch {
  /** Where the mapping is that {@link floor} found, in bytes. */
  readonly found: AddressRange = { virtStart: 0, virtEnd: 0 };
  /** The position of its entry. */
  foundPosition = ROOT;
  /** What {@link seek} found: the position where the page is, would be, or would branch off; */
  position = ROOT;
  /** at which level it branches off, */
  divergence = NO_DIVERGENCE;
  /** and a page from which it does so there. */
  nearHigh = 0;
  nearLow = 0;
  // 1 when what is at the position starts in the page or below it, 0 when it starts above or nothing is there.
  #isFloor = 0;
  // Which page that was for.
  #soughtHigh = NOTHING_SOUGHT;
  #soughtLow = NOTHING_SOUGHT;
  readonly #nodes: RadixNodes;
  readonly #records: MappingRecords;
  readonly #granule: number;
  readonly #pagesPerByte: number;

  /** @param granule in bytes; every mapping starts at a multiple of it */
  constructor(nodes: RadixNodes, records: MappingRecords, granule: number) {
    this.#nodes = nodes;
    this.#records = records;
    this.#granule = granule;
    this.#pagesPerByte = 1 / granule;
  }

  /**
   * Finds the last mapping of those that start in the page or below, and says in `found` where it is.
   *
   * @returns whether there is one
   */
  floor(high: number, low: number): boolean {
    const entry = this.floorEntry(high, low);
    const { found } = this;
    if (entry < PAGE_ENTRIES) {
      const position = this.foundPosition;
      const { heads } = this.#nodes;
      const head = (position >>> NODE_BITS) * HEAD_FIELDS;
      const startLow = heads[head + HEAD_LOW]! + (position & INDEX_MASK);
      const start = (heads[head + HEAD_HIGH]! * LOW_SIZE + startLow) * this.#granule;
      found.virtStart = start;
      found.virtEnd = start + this.#granule - 1;
      return true;
    }
    if (entry === 0) return false;
    const { fields } = this.#records;
    const record = (~entry * RECORD_FIELDS) | 0;
    found.virtStart = fields[record]!;
    found.virtEnd = fields[record + RECORD_END]!;
    return true;
  }

  /** The entry of the mapping that {@link floor} finds; 0 when there is none. */
  floorEntry(high: number, low: number): number {
    this.seek(high, low);
    const { entries, heads } = this.#nodes;
    let { position } = this;
    if (this.#isFloor === 0) {
      const occupied = heads[(position >>> NODE_BITS) * HEAD_FIELDS + HEAD_OCCUPIED]!;
      const smaller = occupied & ((1 << position) - 1);
      position =
        smaller === 0 ? this.#before(high, low) : (position & ~INDEX_MASK) + highestBit(smaller);
      if (position === NOWHERE) return 0;
    }
    let entry = entries[position]!;
    // Written out, as `RadixNodes.walk` is.
    while (entry > 0) {
      const node = entry >>> LEVEL_BITS;
      const last = 31 - Math.clz32(heads[node * HEAD_FIELDS + HEAD_OCCUPIED]!);
      position = node * NODE_ENTRIES + last;
      entry = entries[position]!;
    }
    this.foundPosition = position;
    return entry;
  }

  /** Finds where a page is, would be, or would branch off. */
  seek(high: number, low: number): void {
    if (low !== this.#soughtLow || high !== this.#soughtHigh) this.#seek(high, low);
  }

  /** The position on the way to a page that has no node above a level. */
  walkTo(level: number, high: number, low: number): number {
    const { entries } = this.#nodes;
    let position = ROOT;
    let entry = entries[ROOT]!;
    while ((entry & LEVEL_MASK) > level) {
      const part = (entry & HIGH_LEVEL) === 0 ? low : high;
      position = ((entry & ~LEVEL_MASK) >>> 1) + ((part >>> entry) & INDEX_MASK);
      entry = entries[position]!;
    }
    return position;
  }

  /** Told that the page that was sought is at a position now. */
  arrived(position: number): void {
    this.position = position;
    this.divergence = NO_DIVERGENCE;
    this.#isFloor = 1;
  }

  /** Told that mappings have gone. */
  forget(): void {
    this.#soughtLow = NOTHING_SOUGHT;
  }

  /** The entry that is next below on the way to what was sought; NOWHERE if none is. */
  #before(high: number, low: number): number {
    const { entries, heads } = this.#nodes;
    let before = NOWHERE;
    for (let position = ROOT; position !== this.position; ) {
      const entry = entries[position]!;
      const first = firstPosition(entry);
      position = first + indexAt(entry, high, low);
      const occupied = heads[(entry >>> LEVEL_BITS) * HEAD_FIELDS + HEAD_OCCUPIED]!;
      const smaller = occupied & ((1 << position) - 1);
      if (smaller !== 0) before = first + highestBit(smaller);
    }
    return before;
  }

  #seek(high: number, low: number): void {
    this.#soughtLow = low;
    this.#soughtHigh = high;
    const nodes = this.#nodes;
    const { heads } = nodes;
    const position = nodes.walk(high, low);
    const entry = nodes.entries[position]!;
    const head = (position >>> NODE_BITS) * HEAD_FIELDS;
    const nearHigh = heads[head + HEAD_HIGH]!;
    const nearLow = heads[head + HEAD_LOW]!;
    const level = heads[head + HEAD_LEVEL]!;
    const above = -(NODE_ENTRIES << level);
    // At its place, until it turns out to branch off.
    this.position = position;
    this.#isFloor = entry === 0 ? 0 : 1;
    this.divergence = NO_DIVERGENCE;
    const isWithin =
      (level & HIGH_LEVEL) === 0
        ? high === nearHigh && (low & above) === nearLow
        : (high & above) === nearHigh;
    if (!isWithin) {
      // It branches off before the node at which the walk ended, at a level that is left out.
      this.#diverge(high, low, nearHigh, nearLow);
      this.position = this.walkTo(this.divergence, high, low);
    } else if (entry < 0 && entry >= PAGE_ENTRIES) {
      const near = this.#records.fields[~entry * RECORD_FIELDS]! * this.#pagesPerByte;
      this.#diverge(high, low, (near / LOW_SIZE) | 0, near & LOW_MASK);
    }
  }

  /** Notes how a page differs from one near it. */
  #diverge(high: number, low: number, nearHigh: number, nearLow: number): void {
    this.divergence = divergenceOf(high, low, nearHigh, nearLow);
    this.nearHigh = nearHigh;
    this.nearLow = nearLow;
    this.#isFloor = (nearHigh === high ? nearLow <= low : nearHigh < high) ? 1 : 0;
  }
}
