/**
 * SortedMappings: the mappings of a domain in order of their addresses, to be drawn and looked up. They are in pieces: with 100,000
 * in one array, 2,000 requests moved so many that a page stood still for half a second.
 */
import type { WatchedMapping } from './inspector-messages.ts';

const PIECE_MAX = 512;

export class SortedMappings implements Iterable<WatchedMapping> {
  /** None is empty. */
  readonly #pieces: WatchedMapping[][] = [];
  #count = 0;

  constructor(mappings: readonly WatchedMapping[] = []) {
    const sorted = [...mappings].sort((one, other) => one.virtStart - other.virtStart);
    for (let at = 0; at < sorted.length; at += PIECE_MAX / 2) {
      this.#pieces.push(sorted.slice(at, at + PIECE_MAX / 2));
    }
    this.#count = sorted.length;
  }

  get count(): number {
    return this.#count;
  }

  /** Another row of the same mappings. */
  copy(): SortedMappings {
    const copy = new SortedMappings();
    for (const piece of this.#pieces) copy.#pieces.push([...piece]);
    copy.#count = this.#count;
    return copy;
  }

  insert(mapping: WatchedMapping): void {
    const at = this.#pieceOf(mapping.virtStart);
    const piece = this.#pieces[at];
    this.#count += 1;
    if (piece === undefined) {
      this.#pieces.push([mapping]);
      return;
    }
    piece.splice(indexIn(piece, mapping.virtStart), 0, mapping);
    if (piece.length > PIECE_MAX) this.#pieces.splice(at + 1, 0, piece.splice(PIECE_MAX / 2));
  }

  /** Removes all that lie in the range. */
  remove(virtStart: number, virtEnd: number): void {
    let at = this.#pieceOf(virtStart);
    for (let piece = this.#pieces[at]; piece !== undefined; piece = this.#pieces[at]) {
      if (piece[0]!.virtStart > virtEnd) return;
      const first = indexIn(piece, virtStart);
      let end = first;
      while (end < piece.length && piece[end]!.virtEnd <= virtEnd) end += 1;
      this.#count -= end - first;
      piece.splice(first, end - first);
      if (piece.length === 0) this.#pieces.splice(at, 1);
      else at += 1;
    }
  }

  /** @returns the mapping that covers the address */
  find(address: number): WatchedMapping | undefined {
    for (const mapping of this.from(address)) {
      return mapping.virtStart <= address && mapping.virtEnd >= address ? mapping : undefined;
    }
    return undefined;
  }

  /** In their order, beginning with the last one that starts at `address` or before. */
  *from(address: number): Generator<WatchedMapping> {
    const first = this.#pieceOf(address);
    for (let at = first; at < this.#pieces.length; at += 1) {
      const piece = this.#pieces[at]!;
      const begin = at === first ? Math.max(indexIn(piece, address + 1) - 1, 0) : 0;
      for (let index = begin; index < piece.length; index += 1) yield piece[index]!;
    }
  }

  [Symbol.iterator](): Iterator<WatchedMapping> {
    return this.from(0);
  }

  /** Index of the last piece that begins at the address or before; 0 when there is none. */
  #pieceOf(address: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pieces[middle]![0]!.virtStart <= address) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }
}

/** Index of the first mapping that starts at `address` or behind. */
function indexIn(piece: readonly WatchedMapping[], address: number): number {
  let low = 0;
  let high = piece.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (piece[middle]!.virtStart < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
