/** RadixNodes: the nodes of a radix tree: 32 entries each in one array, and in another what is known of each node. */

import {
  HEAD_FIELDS,
  HEAD_HIGH,
  HEAD_LEVEL,
  HEAD_LOW,
  HEAD_OCCUPIED,
  HIGH_LEVEL,
  INDEX_MASK,
  LEVEL_MASK,
  NODE_BITS,
  NODE_ENTRIES,
  ROOT,
  ROOT_LEVEL,
} from './layout.ts';

const GROWTH = 1.5;
/** Node 0 has but one entry, the root's: many domains have few mappings, and an array so small is part of its object. */
const FIRST_LENGTH = 1;

export class RadixNodes {
  /** Entries of all nodes, one node after the other; 0 is empty. Replaced when it grows: not to be kept over `allocate`. */
  entries = new Int32Array(FIRST_LENGTH);
  /** HEAD_FIELDS of each node. Replaced as `entries` is. */
  heads = firstHead();
  /** The node that was given back last, 0 for none. Each names the one before it in its first entry. */
  #free = 0;
  #used = 1;

  /** The position where the walk for a page ends: at a mapping, or at nothing. It compares no prefixes. */
  walk(high: number, low: number): number {
    const { entries } = this;
    let position = ROOT;
    let entry = entries[ROOT]!;
    // Written out: functions of a module that are called in a loop are looked up at each round, inlined or not.
    while (entry > 0) {
      const part = (entry & HIGH_LEVEL) === 0 ? low : high;
      position = ((entry & ~LEVEL_MASK) >>> 1) + ((part >>> entry) & INDEX_MASK);
      entry = entries[position]!;
    }
    return position;
  }

  /**
   * Takes a node for pages that have all above a level in common with one page.
   *
   * @returns the number of the node, which is empty
   */
  allocate(level: number, high: number, low: number): number {
    const node = this.#take();
    const head = node * HEAD_FIELDS;
    const above = -(NODE_ENTRIES << level);
    const isHigh = (level & HIGH_LEVEL) !== 0;
    this.heads[head + HEAD_HIGH] = isHigh ? high & above : high;
    this.heads[head + HEAD_LOW] = isHigh ? 0 : low & above;
    this.heads[head + HEAD_LEVEL] = level;
    return node;
  }

  /** Gives back a node whose entries are all empty. */
  release(node: number): void {
    this.entries[node * NODE_ENTRIES] = this.#free;
    this.#free = node;
  }

  /** @param position an index into `entries` */
  set(position: number, entry: number): void {
    this.entries[position] = entry;
    this.heads[(position >>> NODE_BITS) * HEAD_FIELDS + HEAD_OCCUPIED]! |= 1 << position;
  }

  empty(position: number): void {
    this.entries[position] = 0;
    this.heads[(position >>> NODE_BITS) * HEAD_FIELDS + HEAD_OCCUPIED]! &= ~(1 << position);
  }

  /** Forgets all nodes, and gives their memory back. */
  clear(): void {
    this.entries = new Int32Array(FIRST_LENGTH);
    this.heads = firstHead();
    this.#free = 0;
    this.#used = 1;
  }

  #take(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.entries[free * NODE_ENTRIES]!;
      this.entries[free * NODE_ENTRIES] = 0;
      return free;
    }
    if (this.#used * HEAD_FIELDS === this.heads.length) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#used * GROWTH);
    const entries = new Int32Array(capacity * NODE_ENTRIES);
    entries.set(this.entries);
    this.entries = entries;
    const heads = new Int32Array(capacity * HEAD_FIELDS);
    heads.set(this.heads);
    this.heads = heads;
  }
}

/** Of node 0. */
function firstHead(): Int32Array {
  const head = new Int32Array(HEAD_FIELDS);
  head[HEAD_LEVEL] = ROOT_LEVEL;
  return head;
}

/** Index of the highest bit that is set. @param bits not 0 */
export function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}

/** Index of the lowest bit that is set. @param bits not 0 */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
