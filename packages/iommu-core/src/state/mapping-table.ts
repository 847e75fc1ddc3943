/** The whole mappings of one domain, in order: what decides whether a MAP overlaps and whether an UNMAP would split. */

/** Mappings per chunk: small enough to shift on insertion, large enough that there are few chunks to search. */
const CHUNK_CAPACITY = 512;

/** What {@link MappingTable.select} answers. */
export const SELECTED_NONE = 0;
const SELECTED_WHOLE = 1;
export const SELECTED_SPLIT = 2;

/** A range of addresses, both ends inclusive. */
export interface AddressRange {
  start: number;
  end: number;
}

interface Chunk {
  count: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/**
 * Sorted arrays in a list of chunks: a search is two binary searches, an insertion or removal shifts at most one chunk,
 * and nothing is allocated but a chunk now and then. Ends are inclusive; ranges in the table never overlap.
 */
export class MappingTable {
  /** No chunk in the list is empty. */
  readonly #chunks: Chunk[] = [];
  /** The last chunk that became empty, kept so that mapping and unmapping at an edge does not allocate. */
  #spare: Chunk | undefined;
  #size = 0;
  /** Where the last search ended: a chunk and an index in it, or the end of the list of chunks and 0. */
  #chunkIndex = 0;
  #index = 0;

  /** Number of mappings. */
  get size(): number {
    return this.#size;
  }

  /** Whether any mapping has an address in common with the range. */
  overlaps(start: number, end: number): boolean {
    const chunk = this.#seek(start);
    return chunk !== undefined && chunk.starts[this.#index]! <= end;
  }

  /** Adds a mapping that overlaps none. */
  insert(start: number, end: number): void {
    this.#seek(start);
    let chunk = this.#chunks[this.#chunkIndex];
    if (this.#index === 0 && this.#chunkIndex > 0) {
      // Between two chunks the earlier one takes it, so that mappings made in rising order fill chunk after chunk.
      this.#chunkIndex -= 1;
      chunk = this.#chunks[this.#chunkIndex]!;
      this.#index = chunk.count;
    }
    if (chunk === undefined) {
      chunk = this.#addChunk(0);
    } else if (chunk.count === CHUNK_CAPACITY) {
      chunk = this.#splitChunk(chunk);
    }
    const index = this.#index;
    chunk.starts.copyWithin(index + 1, index, chunk.count);
    chunk.ends.copyWithin(index + 1, index, chunk.count);
    chunk.starts[index] = start;
    chunk.ends[index] = end;
    chunk.count += 1;
    this.#size += 1;
  }

  /**
   * Finds the mappings that a range affects.
   *
   * @param out from the first address of the first mapping to the last address of the last one; filled on SELECTED_WHOLE
   * @returns SELECTED_NONE, SELECTED_WHOLE, or SELECTED_SPLIT when a mapping lies only partly in the range
   */
  select(start: number, end: number, out: AddressRange): number {
    const first = this.#seek(start);
    if (first === undefined || first.starts[this.#index]! > end) {
      return SELECTED_NONE;
    }
    const firstStart = first.starts[this.#index]!;
    const beyond = this.#seek(end);
    let lastEnd: number;
    if (beyond !== undefined && beyond.starts[this.#index]! <= end) {
      lastEnd = beyond.ends[this.#index]!;
    } else {
      lastEnd = this.#endBeforePosition();
    }
    if (firstStart < start || lastEnd > end) {
      return SELECTED_SPLIT;
    }
    out.start = firstStart;
    out.end = lastEnd;
    return SELECTED_WHOLE;
  }

  /**
   * Removes the mappings that begin in the range.
   *
   * @returns how many they were
   */
  remove(start: number, end: number): number {
    const sizeBefore = this.#size;
    let chunk = this.#seek(start);
    while (chunk !== undefined && chunk.starts[this.#index]! <= end) {
      const index = this.#index;
      const after = firstAbove(chunk.starts, chunk.count, end);
      chunk.starts.copyWithin(index, after, chunk.count);
      chunk.ends.copyWithin(index, after, chunk.count);
      chunk.count -= after - index;
      this.#size -= after - index;
      this.#joinChunks();
      chunk = this.#seek(start);
    }
    return sizeBefore - this.#size;
  }

  /** Moves to the first mapping that ends at or above the address. */
  #seek(address: number): Chunk | undefined {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = chunks[middle]!;
      if (chunk.ends[chunk.count - 1]! < address) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    this.#chunkIndex = low;
    const chunk = chunks[low];
    this.#index = chunk === undefined ? 0 : firstNotBelow(chunk.ends, chunk.count, address);
    return chunk;
  }

  #endBeforePosition(): number {
    if (this.#index > 0) {
      return this.#chunks[this.#chunkIndex]!.ends[this.#index - 1]!;
    }
    const previous = this.#chunks[this.#chunkIndex - 1]!;
    return previous.ends[previous.count - 1]!;
  }

  #addChunk(chunkIndex: number): Chunk {
    const chunk = this.#spare ?? {
      count: 0,
      starts: new Float64Array(CHUNK_CAPACITY),
      ends: new Float64Array(CHUNK_CAPACITY),
    };
    this.#spare = undefined;
    this.#chunks.splice(chunkIndex, 0, chunk);
    return chunk;
  }

  /** Makes room in a full chunk at the position of the search, and moves the position to where the room is. */
  #splitChunk(full: Chunk): Chunk {
    const next = this.#addChunk(this.#chunkIndex + 1);
    // At the end nothing is moved: mappings made in rising order leave full chunks behind.
    const kept = this.#index === CHUNK_CAPACITY ? CHUNK_CAPACITY : CHUNK_CAPACITY / 2;
    appendEntries(next, full, kept);
    full.count = kept;
    if (this.#index < kept || (this.#index === kept && kept < CHUNK_CAPACITY)) {
      return full;
    }
    this.#chunkIndex += 1;
    this.#index -= kept;
    return next;
  }

  /** Joins the chunk at the position with a neighbour when both are rather empty, so that few mappings hold few chunks. */
  #joinChunks(): void {
    const chunks = this.#chunks;
    const chunk = chunks[this.#chunkIndex]!;
    const next = chunks[this.#chunkIndex + 1];
    const previous = chunks[this.#chunkIndex - 1];
    if (chunk.count === 0) {
      this.#dropChunk(this.#chunkIndex);
    } else if (next !== undefined && chunk.count + next.count <= CHUNK_CAPACITY / 2) {
      appendEntries(chunk, next, 0);
      this.#dropChunk(this.#chunkIndex + 1);
    } else if (previous !== undefined && previous.count + chunk.count <= CHUNK_CAPACITY / 2) {
      appendEntries(previous, chunk, 0);
      this.#dropChunk(this.#chunkIndex);
    }
  }

  #dropChunk(chunkIndex: number): void {
    const [chunk] = this.#chunks.splice(chunkIndex, 1);
    chunk!.count = 0;
    this.#spare = chunk;
  }
}

/** Copies entries `from` on of one chunk behind those of another. */
function appendEntries(target: Chunk, source: Chunk, from: number): void {
  target.starts.set(source.starts.subarray(from, source.count), target.count);
  target.ends.set(source.ends.subarray(from, source.count), target.count);
  target.count += source.count - from;
}

/** Index of the first of `count` rising values that is at least `value`; `count` when there is none. */
function firstNotBelow(values: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Index of the first of `count` rising values that is above `value`; `count` when there is none. */
function firstAbove(values: Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
