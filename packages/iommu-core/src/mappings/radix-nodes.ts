/** RadixNodes: the nodes of a radix tree, 32 entries each, in one array, and which entries of each are in use. */

import { NODE_BITS, NODE_ENTRIES } from './layout.ts';

const GROWTH = 1.5;
/** Node 0 has but one entry, the root's: many domains have few mappings, and an array so small is part of its object. */
const FIRST_LENGTH = 1;

export class RadixNodes {
  /** Entries of all nodes, one node after the other; 0 is empty. Replaced when it grows: not to be kept over `allocate`. */
  entries = new Int32Array(FIRST_LENGTH);
  /** By node, bit n: its entry n is not empty. Replaced as `entries` is. */
  occupied = new Int32Array(1);
  /** The node that was given back last, 0 for none. Each names the one before it in its first entry. */
  #free = 0;
  #used = 1;

  /** @returns the number of an empty node */
  allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.entries[free * NODE_ENTRIES]!;
      this.entries[free * NODE_ENTRIES] = 0;
      return free;
    }
    if (this.#used === this.occupied.length) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  /** Gives back a node whose entries are all empty. */
  release(node: number): void {
    this.entries[node * NODE_ENTRIES] = this.#free;
    this.#free = node;
  }

  /** @param position an index into `entries` */
  set(position: number, entry: number): void {
    this.entries[position] = entry;
    this.occupied[position >>> NODE_BITS]! |= 1 << position;
  }

  empty(position: number): void {
    this.entries[position] = 0;
    this.occupied[position >>> NODE_BITS]! &= ~(1 << position);
  }

  /** Forgets all nodes, and gives their memory back. */
  clear(): void {
    this.entries = new Int32Array(FIRST_LENGTH);
    this.occupied = new Int32Array(1);
    this.#free = 0;
    this.#used = 1;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#used * GROWTH);
    const entries = new Int32Array(capacity * NODE_ENTRIES);
    entries.set(this.entries);
    this.entries = entries;
    const occupied = new Int32Array(capacity);
    occupied.set(this.occupied);
    this.occupied = occupied;
  }
}

/** Index of the highest bit that is set. @param bits not 0 */
export function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}

/** Index of the lowest bit that is set. @param bits not 0 */
export function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
