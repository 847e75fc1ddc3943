/** StartTree: mappings ordered by where they start, as a radix tree that leaves out the levels at which nothing branches. */
import {
  HEAD_FIELDS,
  HEAD_HIGH,
  HEAD_LEVEL,
  HEAD_LOW,
  HEAD_OCCUPIED,
  INDEX_MASK,
  LEVEL_BITS,
  LEVEL_MASK,
  LOW_MASK,
  LOW_SIZE,
  NODE_BITS,
  NODE_ENTRIES,
  PAGE_ENTRIES,
  PAGE_LEVEL,
  RECORD_FIELDS,
  ROOT,
} from './layout.ts';
import { firstPosition, indexAt, pagesPerEntry } from './levels.ts';
import type { Mapping } from './mapping.ts';
import type { MappingRecords } from './mapping-records.ts';
import { PageEntries } from './page-entries.ts';
import { highestBit, lowestBit, type RadixNodes } from './radix-nodes.ts';
import type { StartSearch } from './start-search.ts';

/** Positions of the nodes on the way to a mapping; one for all trees, since nothing looks at it after the call. */
const path = new Int32Array(Math.ceil(52 / NODE_BITS) + 1);

/** A mapping that moves; one for all trees, too. */
const scratch: Mapping = { virtStart: 0, virtEnd: 0, physStart: 0, flags: 0 };

/**
 * A mapping is one entry: the page itself, of a mapping of one page that has another near it, or a record's number. Every
 * node has at least two entries, so there are fewer nodes than mappings, wherever these lie and however long they are.
 */
export class StartTree {
  readonly #nodes: RadixNodes;
  readonly #records: MappingRecords;
  readonly #search: StartSearch;
  readonly #pages: PageEntries;
  readonly #pagesPerByte: number;

  /** @param granule in bytes; every mapping starts at a multiple of it */
  constructor(nodes: RadixNodes, records: MappingRecords, search: StartSearch, granule: number) {
    this.#nodes = nodes;
    this.#records = records;
    this.#search = search;
    this.#pagesPerByte = 1 / granule;
    this.#pages = new PageEntries(nodes, granule);
  }

  /** Adds a mapping; none starts in its page yet. */
  insert(mapping: Mapping): void {
    const page = mapping.virtStart * this.#pagesPerByte;
    const high = (page / LOW_SIZE) | 0;
    const low = page & LOW_MASK;
    const search = this.#search;
    search.seek(high, low);
    const nodes = this.#nodes;
    let { position } = search;
    if (nodes.entries[position] !== 0) position = this.#branchOff(position, high, low);
    const level = nodes.heads[(position >>> NODE_BITS) * HEAD_FIELDS + HEAD_LEVEL]!;
    const entry = level === PAGE_LEVEL ? this.#pages.entryOf(mapping) : 0;
    nodes.set(position, entry === 0 ? ~this.#records.add(mapping) : entry);
    search.arrived(position);
  }

  /**
   * Takes out the mappings that start in a range of pages.
   *
   * @returns how many they were
   */
  remove(startHigh: number, startLow: number, endHigh: number, endLow: number): number {
    const search = this.#search;
    let removed = 0;
    let isMore = true;
    while (isMore && search.floor(endHigh, endLow)) {
      const page = search.found.virtStart * this.#pagesPerByte;
      const high = (page / LOW_SIZE) | 0;
      const low = page & LOW_MASK;
      isMore = high === startHigh ? low > startLow : high > startHigh;
      if (isMore) {
        removed += this.#removeRun(high, low, startHigh, startLow);
      } else if (low === startLow && high === startHigh) {
        this.#removeFound(high, low);
        removed += 1;
      }
      search.forget();
    }
    return removed;
  }

  /** Shows the mappings that start within a range, in rising order. They are shown in one object. */
  visit(start: number, end: number, visitor: (mapping: Mapping) => unknown): void {
    const mapping = { virtStart: 0, virtEnd: 0, physStart: 0, flags: 0 };
    if (this.#nodes.entries[ROOT] !== 0) this.#visitFrom(ROOT, start, end, mapping, visitor);
  }

  /** Fills a mapping with what is at a position. */
  #read(position: number, mapping: Mapping): void {
    const entry = this.#nodes.entries[position]!;
    if (entry < PAGE_ENTRIES) {
      this.#pages.read(position, mapping);
    } else {
      this.#records.read(~entry, mapping);
    }
  }

  /**
   * Makes a node where the page that was sought branches off.
   *
   * @returns the position for the page in there, which is empty
   */
  #branchOff(position: number, high: number, low: number): number {
    const nodes = this.#nodes;
    const { divergence: level, nearHigh, nearLow } = this.#search;
    const node = nodes.allocate(level, high, low);
    const first = node * NODE_ENTRIES;
    const near = nodes.entries[position]!;
    nodes.entries[position] = (node << LEVEL_BITS) | level;
    nodes.set(
      first + indexAt(level, nearHigh, nearLow),
      level === PAGE_LEVEL ? this.#withoutRecord(near) : near,
    );
    return first + indexAt(level, high, low);
  }

  /** What a record becomes that comes to the lowest level. */
  #withoutRecord(entry: number): number {
    this.#records.read(~entry, scratch);
    const page = this.#pages.entryOf(scratch);
    if (page === 0) return entry;
    this.#records.remove(~entry);
    return page;
  }

  /** What an entry becomes that leaves the lowest level. */
  #withRecord(position: number): number {
    const entry = this.#nodes.entries[position]!;
    if (entry >= PAGE_ENTRIES) return entry;
    this.#pages.read(position, scratch);
    return ~this.#records.add(scratch);
  }

  /** Takes out the mapping that was found, which starts in a page. */
  #removeFound(high: number, low: number): void {
    const nodes = this.#nodes;
    const position = this.#search.foundPosition;
    const entry = nodes.entries[position]!;
    if (entry >= PAGE_ENTRIES) this.#records.remove(~entry);
    nodes.empty(position);
    const node = position >>> NODE_BITS;
    const bits = nodes.heads[node * HEAD_FIELDS + HEAD_OCCUPIED]!;
    if ((bits & (bits - 1)) !== 0 || node === 0) return;
    const parent = this.#search.walkTo(nodes.heads[node * HEAD_FIELDS + HEAD_LEVEL]!, high, low);
    this.#replaceByOnly(parent, node, bits);
  }

  /** Takes out the mapping that starts in a page, and those before it in its node, down to another page. */
  #removeRun(high: number, low: number, startHigh: number, startLow: number): number {
    const nodes = this.#nodes;
    const { entries, heads } = nodes;
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
    do {
      if (entry >= PAGE_ENTRIES) this.#records.remove(~entry);
      nodes.empty(position);
      removed += 1;
      const occupied = heads[(position >>> NODE_BITS) * HEAD_FIELDS + HEAD_OCCUPIED]!;
      const smaller = occupied & ((1 << position) - 1);
      if (smaller === 0) break;
      position = (position & ~INDEX_MASK) + highestBit(smaller);
      entry = entries[position]!;
    } while (entry < 0 && this.#startsFrom(position, entry, startHigh, startLow));
    this.#shrink(depth);
    return removed;
  }

  /** Whether the mapping at a position starts in a page or above it. */
  #startsFrom(position: number, entry: number, high: number, low: number): boolean {
    let startHigh: number;
    let startLow: number;
    if (entry < PAGE_ENTRIES) {
      const head = (position >>> NODE_BITS) * HEAD_FIELDS;
      startHigh = this.#nodes.heads[head + HEAD_HIGH]!;
      startLow = this.#nodes.heads[head + HEAD_LOW]! + (position & INDEX_MASK);
    } else {
      const start = this.#records.fields[~entry * RECORD_FIELDS]! * this.#pagesPerByte;
      startHigh = (start / LOW_SIZE) | 0;
      startLow = start & LOW_MASK;
    }
    return startHigh === high ? startLow >= low : startHigh > high;
  }

  /** Takes out nodes on the path that have no entry left, and puts an only entry in the place of its node. */
  #shrink(pathLength: number): void {
    const nodes = this.#nodes;
    const { entries, heads } = nodes;
    for (let depth = pathLength - 1; depth >= 0; depth -= 1) {
      const position = path[depth]!;
      const node = entries[position]! >>> LEVEL_BITS;
      const bits = heads[node * HEAD_FIELDS + HEAD_OCCUPIED]!;
      if ((bits & (bits - 1)) !== 0) return;
      if (bits !== 0) {
        this.#replaceByOnly(position, node, bits);
        return;
      }
      nodes.empty(position);
      nodes.release(node);
    }
  }

  /** Puts the only entry of a node in the place of the node. */
  #replaceByOnly(position: number, node: number, bits: number): void {
    const nodes = this.#nodes;
    const only = node * NODE_ENTRIES + lowestBit(bits);
    nodes.entries[position] = this.#withRecord(only);
    nodes.empty(only);
    nodes.release(node);
  }

  #visitFrom(
    position: number,
    start: number,
    end: number,
    mapping: Mapping,
    visitor: (mapping: Mapping) => unknown,
  ): boolean {
    const entry = this.#nodes.entries[position]!;
    if (entry < 0) {
      this.#read(position, mapping);
      const isWithin = mapping.virtStart >= start && mapping.virtStart <= end;
      return !isWithin || visitor(mapping) !== false;
    }
    const { heads } = this.#nodes;
    const head = (entry >>> LEVEL_BITS) * HEAD_FIELDS;
    const firstStart =
      (heads[head + HEAD_HIGH]! * LOW_SIZE + heads[head + HEAD_LOW]!) / this.#pagesPerByte;
    const size = (NODE_ENTRIES * pagesPerEntry(entry & LEVEL_MASK)) / this.#pagesPerByte;
    if (firstStart > end || firstStart + size <= start) return true;
    const first = firstPosition(entry);
    for (let bits = heads[head + HEAD_OCCUPIED]!; bits !== 0; bits &= bits - 1) {
      if (!this.#visitFrom(first + lowestBit(bits), start, end, mapping, visitor)) return false;
    }
    return true;
  }
}
