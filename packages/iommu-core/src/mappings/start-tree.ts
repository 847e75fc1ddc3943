/** StartTree: mappings ordered by where they start, as a radix tree that leaves out the levels at which nothing branches. */
import {
  HIGH_LEVEL,
  INDEX_MASK,
  LEVEL_BITS,
  LEVEL_MASK,
  LOW_MASK,
  LOW_SIZE,
  NO_DIVERGENCE,
  NO_RECORD,
  NODE_BITS,
  NODE_ENTRIES,
  RECORD_FIELDS,
  ROOT,
} from './layout.ts';
import type { MappingRecords } from './mapping-records.ts';
import { highestBit, lowestBit, RadixNodes } from './radix-nodes.ts';

/** No page, of those that a search can be for. */
const NOTHING_SOUGHT = -1;

/** Positions of the nodes on the way to a record; one for all trees, since nothing looks at it after the call. */
const path = new Int32Array(Math.ceil(52 / NODE_BITS) + 1);

/**
 * An entry is 0 (nothing), a node with its level, or the complement of a record's number. Every node has at least two
 * entries, so there are fewer nodes than mappings, wherever these lie and however long they are.
 *
 * A walk compares no prefixes: it ends at a record or at nothing, and what was found is compared with the page then.
 *
 * A page's number comes as two integers, `high` and `low`: a number above 2^31 would be allocated at each call that V8
 * does not inline, 16 bytes every time.
 */
export class StartTree {
  readonly #nodes = new RadixNodes();
  readonly #records: MappingRecords;
  readonly #pagesPerByte: number;
  // The last search: which page it was for,
  #soughtHigh = NOTHING_SOUGHT;
  #soughtLow = NOTHING_SOUGHT;
  // the position where the page is, or would branch off, and the level at which it does so,
  #position = ROOT;
  #divergence = NO_DIVERGENCE;
  // a record next to it, and the entry that is next below it on the way, 0 for none.
  #near = NO_RECORD;
  #below = 0;

  /** @param pagesPerByte 1 / the granule; every mapping starts at a multiple of it */
  constructor(records: MappingRecords, pagesPerByte: number) {
    this.#records = records;
    this.#pagesPerByte = pagesPerByte;
  }

  /** The record that starts in the page if one does, or any other; NO_RECORD when the walk ends at none. */
  guess(high: number, low: number): number {
    const { entries } = this.#nodes;
    let entry = entries[ROOT]!;
    while (entry > 0) {
      entry = entries[firstPosition(entry) + indexAt(entry, high, low)]!;
    }
    return entry === 0 ? NO_RECORD : ~entry;
  }

  /** The last record of those that start in the page or below; NO_RECORD when there is none. */
  floor(high: number, low: number): number {
    this.#seek(high, low);
    if (this.#divergence === NO_DIVERGENCE) return this.#near;
    const entry = this.#nodes.entries[this.#position]!;
    const isBelow = entry !== 0 && !this.#startsFrom(this.#near, high, low);
    return this.#lastOf(isBelow ? entry : this.#below);
  }

  /** Adds a record that starts in the page; none does yet. */
  insert(record: number, high: number, low: number): void {
    this.#seek(high, low);
    const nodes = this.#nodes;
    const position = this.#position;
    const neighbour = nodes.entries[position]!;
    if (neighbour === 0) {
      nodes.set(position, ~record);
    } else {
      const level = this.#divergence;
      const nearPage = this.#startOf(this.#near) * this.#pagesPerByte;
      const nearIndex = indexAt(level, (nearPage / LOW_SIZE) | 0, nearPage & LOW_MASK);
      const node = nodes.allocate();
      nodes.set(node * NODE_ENTRIES + nearIndex, neighbour);
      nodes.set(node * NODE_ENTRIES + indexAt(level, high, low), ~record);
      nodes.entries[position] = (node << LEVEL_BITS) | level;
    }
    this.#soughtLow = NOTHING_SOUGHT;
  }

  /**
   * Takes out the records that start in a range of pages, and frees them.
   *
   * @returns how many they were
   */
  remove(startHigh: number, startLow: number, endHigh: number, endLow: number): number {
    let removed = 0;
    let record = this.floor(endHigh, endLow);
    while (record !== NO_RECORD && this.#startsFrom(record, startHigh, startLow)) {
      const page = this.#startOf(record) * this.#pagesPerByte;
      const high = (page / LOW_SIZE) | 0;
      const low = page & LOW_MASK;
      removed += this.#removeRun(high, low, startHigh, startLow);
      this.#soughtLow = NOTHING_SOUGHT;
      if (low === startLow && high === startHigh) break;
      record = this.floor(endHigh, endLow);
    }
    return removed;
  }

  /** Shows the records that start within a range, in rising order. */
  visit(start: number, end: number, visitor: (record: number) => void): void {
    const root = this.#nodes.entries[ROOT]!;
    if (root !== 0) this.#visitFrom(root, start, end, visitor);
  }

  /** Forgets everything, and gives the memory back. */
  clear(): void {
    this.#nodes.clear();
    this.#soughtLow = NOTHING_SOUGHT;
  }

  #startOf(record: number): number {
    return this.#records.fields[record * RECORD_FIELDS]!;
  }

  /** Whether a record starts in a page or above it. */
  #startsFrom(record: number, high: number, low: number): boolean {
    const page = this.#startOf(record) * this.#pagesPerByte;
    const recordHigh = (page / LOW_SIZE) | 0;
    return recordHigh === high ? (page & LOW_MASK) >= low : recordHigh > high;
  }

  /** The record that starts last below an entry; NO_RECORD for an empty one. */
  #lastOf(from: number): number {
    const { entries, occupied } = this.#nodes;
    let entry = from;
    while (entry > 0) {
      entry = entries[firstPosition(entry) + highestBit(occupied[entry >>> LEVEL_BITS]!)]!;
    }
    return entry === 0 ? NO_RECORD : ~entry;
  }

  #firstOf(from: number): number {
    const { entries, occupied } = this.#nodes;
    let entry = from;
    while (entry > 0) {
      entry = entries[firstPosition(entry) + lowestBit(occupied[entry >>> LEVEL_BITS]!)]!;
    }
    return ~entry;
  }

  /** Finds where a page is, or would branch off; twice in a row, as a MAP looks and then inserts, costs once. */
  #seek(high: number, low: number): void {
    if (low === this.#soughtLow && high === this.#soughtHigh) return;
    this.#soughtLow = low;
    this.#soughtHigh = high;
    this.#divergence = NO_DIVERGENCE;
    const last = this.#walk(high, low, NO_DIVERGENCE);
    const entry = this.#nodes.entries[this.#position]!;
    const near = entry === 0 ? this.#lastOf(last) : ~entry;
    this.#near = near;
    if (near === NO_RECORD) return;
    const nearPage = this.#startOf(near) * this.#pagesPerByte;
    const divergence = divergenceOf(high, low, (nearPage / LOW_SIZE) | 0, nearPage & LOW_MASK);
    this.#divergence = divergence;
    // It branches off before the node at which the walk ended, at a level that is left out.
    if (last !== 0 && divergence > (last & LEVEL_MASK)) this.#walk(high, low, divergence);
  }

  /**
   * Walks down to where there is no node above a level.
   *
   * @returns the last node on the way, 0 for none
   */
  #walk(high: number, low: number, level: number): number {
    const { entries, occupied } = this.#nodes;
    let last = 0;
    let position = ROOT;
    let below = 0;
    let entry = entries[ROOT]!;
    while (entry > 0 && (entry & LEVEL_MASK) > level) {
      const first = firstPosition(entry);
      position = first + indexAt(entry, high, low);
      const smaller = occupied[entry >>> LEVEL_BITS]! & ((1 << position) - 1);
      if (smaller !== 0) below = entries[first + highestBit(smaller)]!;
      last = entry;
      entry = entries[position]!;
    }
    this.#position = position;
    this.#below = below;
    return last;
  }

  /** Takes out the record that starts in a page, and those before it in its node, down to another page. */
  #removeRun(high: number, low: number, startHigh: number, startLow: number): number {
    const nodes = this.#nodes;
    const { entries, occupied } = nodes;
    let depth = 0;
    let position = ROOT;
    let entry = entries[ROOT]!;
    while (entry > 0) {
      path[depth] = position;
      depth += 1;
      position = firstPosition(entry) + indexAt(entry, high, low);
      entry = entries[position]!;
    }
    let removed = 0;
    let smaller: number;
    do {
      this.#records.remove(~entry);
      nodes.empty(position);
      removed += 1;
      smaller = occupied[position >>> NODE_BITS]! & ((1 << position) - 1);
      if (smaller === 0) break;
      position = (position & ~INDEX_MASK) + highestBit(smaller);
      entry = entries[position]!;
    } while (entry < 0 && this.#startsFrom(~entry, startHigh, startLow));
    this.#shrink(depth);
    return removed;
  }

  /** Takes out nodes on the path that have no entry left, and puts an only entry in the place of its node. */
  #shrink(pathLength: number): void {
    const nodes = this.#nodes;
    const { entries, occupied } = nodes;
    for (let depth = pathLength - 1; depth >= 0; depth -= 1) {
      const position = path[depth]!;
      const node = entries[position]! >>> LEVEL_BITS;
      const bits = occupied[node]!;
      if ((bits & (bits - 1)) !== 0) return;
      if (bits !== 0) {
        const only = node * NODE_ENTRIES + lowestBit(bits);
        entries[position] = entries[only]!;
        nodes.empty(only);
        nodes.release(node);
        return;
      }
      nodes.empty(position);
      nodes.release(node);
    }
  }

  #visitFrom(entry: number, start: number, end: number, visitor: (record: number) => void): void {
    if (this.#startOf(this.#lastOf(entry)) < start || this.#startOf(this.#firstOf(entry)) > end) {
      return;
    }
    if (entry < 0) {
      visitor(~entry);
      return;
    }
    const { entries, occupied } = this.#nodes;
    const first = firstPosition(entry);
    for (let bits = occupied[entry >>> LEVEL_BITS]!; bits !== 0; bits &= bits - 1) {
      this.#visitFrom(entries[first + lowestBit(bits)]!, start, end, visitor);
    }
  }
}

/** Of a node's entries. */
function firstPosition(node: number): number {
  return (node & ~LEVEL_MASK) >>> (LEVEL_BITS - NODE_BITS);
}

/** @param level a level, or a node with its level */
function indexAt(level: number, high: number, low: number): number {
  return (((level & HIGH_LEVEL) === 0 ? low : high) >>> level) & INDEX_MASK;
}

/** The highest level at which two pages differ. */
function divergenceOf(high: number, low: number, otherHigh: number, otherLow: number): number {
  if (high !== otherHigh) return HIGH_LEVEL + levelOfBit(highestBit(high ^ otherHigh));
  return low === otherLow ? NO_DIVERGENCE : levelOfBit(highestBit(low ^ otherLow));
}

function levelOfBit(bit: number): number {
  return bit - (bit % NODE_BITS);
}
