/** MappingRecords: the fields of mappings that are no entry, in one array: no object per mapping, half a cache line each. */

import {
  NO_RECORD,
  RECORD_DELTA,
  RECORD_END,
  RECORD_FIELDS,
  RECORD_FLAGS,
  RECORD_START,
} from './layout.ts';
import type { Mapping } from './mapping.ts';

/** As much as the engine keeps in an array's own object: 64 bytes. */
const FIRST_CAPACITY = 2;
const GROWTH = 1.5;
const EMPTY = new Float64Array(0);

export class MappingRecords {
  /** Replaced when the store grows: not to be kept over `add`. */
  fields: Float64Array = EMPTY;
  /** The record that was given back last. Each names the one before it in its first field. */
  #free = NO_RECORD;
  #used = 0;

  /** @returns the number of the record */
  add({ virtStart, virtEnd, physStart, flags }: Mapping): number {
    const record = this.#take();
    const { fields } = this;
    const position = record * RECORD_FIELDS;
    fields[position + RECORD_START] = virtStart;
    fields[position + RECORD_END] = virtEnd;
    fields[position + RECORD_DELTA] = physStart - virtStart;
    fields[position + RECORD_FLAGS] = flags;
    return record;
  }

  /** Fills a mapping with what a record says. */
  read(record: number, mapping: Mapping): void {
    const { fields } = this;
    const position = record * RECORD_FIELDS;
    const start = fields[position]!;
    mapping.virtStart = start;
    mapping.virtEnd = fields[position + RECORD_END]!;
    mapping.physStart = start + fields[position + RECORD_DELTA]!;
    mapping.flags = fields[position + RECORD_FLAGS]! | 0;
  }

  remove(record: number): void {
    this.fields[record * RECORD_FIELDS] = this.#free;
    this.#free = record;
  }

  /** Forgets all records, and gives their memory back. */
  clear(): void {
    this.fields = EMPTY;
    this.#free = NO_RECORD;
    this.#used = 0;
  }

  #take(): number {
    const free = this.#free;
    if (free !== NO_RECORD) {
      this.#free = this.fields[free * RECORD_FIELDS]!;
      return free;
    }
    if (this.#used * RECORD_FIELDS === this.fields.length) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, Math.ceil(this.#used * GROWTH));
    const fields = new Float64Array(capacity * RECORD_FIELDS);
    fields.set(this.fields);
    this.fields = fields;
  }
}
