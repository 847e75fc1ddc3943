/** NodePool: the nodes of a RadixTable, 512 entries each. */

export const NODE_ENTRIES = 512;

const FIRST_CAPACITY = 16;

/** Nodes are numbered from 1, so that an entry of 0 can say that nothing is there. */
export class NodePool {
  /** Entries of all nodes, one node after the other. Replaced when the pool grows: do not keep it over `allocate`. */
  entries = new Int32Array(FIRST_CAPACITY * NODE_ENTRIES);
  /** How many entries of a node are not 0. */
  #counts = new Uint16Array(FIRST_CAPACITY);
  readonly #free: number[] = [];
  /** Nodes that were ever used, and the unused node 0. */
  #used = 1;

  /** @returns the number of an empty node */
  allocate(): number {
    const freed = this.#free.pop();
    if (freed !== undefined) {
      return freed;
    }
    const node = this.#used;
    this.#used += 1;
    if (node === this.#counts.length) {
      this.#grow();
    }
    return node;
  }

  /** Gives back a node whose entries are all 0. */
  release(node: number): void {
    this.#free.push(node);
  }

  isEmpty(node: number): boolean {
    return this.#counts[node] === 0;
  }

  /** @param position an index into `entries` */
  set(position: number, entry: number): void {
    this.entries[position] = entry;
    this.#counts[Math.floor(position / NODE_ENTRIES)]! += 1;
  }

  clear(position: number): void {
    this.entries[position] = 0;
    this.#counts[Math.floor(position / NODE_ENTRIES)]! -= 1;
  }

  #grow(): void {
    const capacity = this.#counts.length * 2;
    const entries = new Int32Array(capacity * NODE_ENTRIES);
    entries.set(this.entries);
    this.entries = entries;
    const counts = new Uint16Array(capacity);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}
