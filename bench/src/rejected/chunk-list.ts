/** ChunkList: a rejected design: whole mappings in order, as sorted arrays in a list of chunks. */
import { TRANSLATION_NO_MAPPING, TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import type { CandidateTable } from './candidate-table.ts';

/** Mappings per chunk: small enough to shift on insertion, large enough that there are few chunks to search. */
const CHUNK_CAPACITY = 512;

interface Chunk {
  count: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** What to add to a virtual address to get the physical one. */
  readonly deltas: Float64Array;
  readonly flags: Uint8Array;
}

/**
 * Sorted arrays in a list of chunks: a search is two binary searches, an insertion or removal shifts at most one chunk,
 * and nothing is allocated but a chunk now and then. Ends are inclusive; ranges in the table never overlap.
 */
export class ChunkList implements CandidateTable {
  /** No chunk in the list is empty. */
  readonly #chunks: Chunk[] = [];
  /** The last chunk that became empty, kept so that mapping and unmapping at an edge does not allocate. */
  #spare: Chunk | undefined;
  /** Where the last search ended: a chunk and an index in it, or the end of the list of chunks and 0. */
  #chunkIndex = 0;
  #index = 0;

  translate(address: number, length: number, access: number, out: TranslationResult): number {
    const chunk = this.#seek(address);
    const index = this.#index;
    if (chunk === undefined || chunk.starts[index]! > address) return TRANSLATION_NO_MAPPING;
    if ((chunk.flags[index]! & access) !== access) return TRANSLATION_NO_MAPPING;
    const available = chunk.ends[index]! - address + 1;
    out.physical = address + chunk.deltas[index]!;
    out.length = Math.min(available, length);
    out.bypass = false;
    return TRANSLATION_OK;
  }

  map(virtStart: number, virtEnd: number, physStart: number, flags: number): boolean {
    let chunk = this.#seek(virtStart);
    if (chunk !== undefined && chunk.starts[this.#index]! <= virtEnd) return false;
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
    moveEntries(chunk, index + 1, index);
    chunk.starts[index] = virtStart;
    chunk.ends[index] = virtEnd;
    chunk.deltas[index] = physStart - virtStart;
    chunk.flags[index] = flags;
    chunk.count += 1;
    return true;
  }

  unmap(virtStart: number, virtEnd: number): boolean {
    const first = this.#seek(virtStart);
    if (first === undefined || first.starts[this.#index]! > virtEnd) return true;
    if (first.starts[this.#index]! < virtStart) return false;
    const beyond = this.#seek(virtEnd);
    const last = this.#index;
    if (beyond !== undefined && beyond.starts[last]! <= virtEnd && beyond.ends[last]! > virtEnd) {
      return false;
    }
    let chunk = this.#seek(virtStart);
    while (chunk !== undefined && chunk.starts[this.#index]! <= virtEnd) {
      const index = this.#index;
      const after = firstAbove(chunk.starts, chunk.count, virtEnd);
      moveEntries(chunk, index, after);
      chunk.count -= after - index;
      this.#joinChunks();
      chunk = this.#seek(virtStart);
    }
    return true;
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

  #addChunk(chunkIndex: number): Chunk {
    const chunk = this.#spare ?? {
      count: 0,
      starts: new Float64Array(CHUNK_CAPACITY),
      ends: new Float64Array(CHUNK_CAPACITY),
      deltas: new Float64Array(CHUNK_CAPACITY),
      flags: new Uint8Array(CHUNK_CAPACITY),
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

/** Moves the entries from an index on to another place in the same chunk. */
function moveEntries(chunk: Chunk, target: number, from: number): void {
  const { starts, ends, deltas, flags, count } = chunk;
  starts.copyWithin(target, from, count);
  ends.copyWithin(target, from, count);
  deltas.copyWithin(target, from, count);
  flags.copyWithin(target, from, count);
}

/** Copies entries `from` on of one chunk behind those of another. */
function appendEntries(target: Chunk, source: Chunk, from: number): void {
  target.starts.set(source.starts.subarray(from, source.count), target.count);
  target.ends.set(source.ends.subarray(from, source.count), target.count);
  target.deltas.set(source.deltas.subarray(from, source.count), target.count);
  target.flags.set(source.flags.subarray(from, source.count), target.count);
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
