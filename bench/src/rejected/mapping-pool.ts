/** MappingPool: what the leaves of a RadixTable refer to, by number; arrays of fields, not objects. */

const FIRST_CAPACITY = 64;

export class MappingPool {
  starts = new Float64Array(FIRST_CAPACITY);
  ends = new Float64Array(FIRST_CAPACITY);
  /** What to add to a virtual address to get the physical one. */
  deltas = new Float64Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  readonly #free: number[] = [];
  #used = 0;

  /** Ends are inclusive, in bytes. */
  add(virtStart: number, virtEnd: number, physStart: number, flags: number): number {
    const mapping = this.#free.pop() ?? this.#next();
    this.starts[mapping] = virtStart;
    this.ends[mapping] = virtEnd;
    this.deltas[mapping] = physStart - virtStart;
    this.flags[mapping] = flags;
    return mapping;
  }

  remove(mapping: number): void {
    this.#free.push(mapping);
  }

  #next(): number {
    if (this.#used === this.flags.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
      this.deltas = doubled(this.deltas);
      const flags = new Uint8Array(this.flags.length * 2);
      flags.set(this.flags);
      this.flags = flags;
    }
    return this.#used++;
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}
