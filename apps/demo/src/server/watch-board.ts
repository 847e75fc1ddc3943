/** WatchBoard: what those who watch want to be told next, and which walk each of them asks for, in memory that two threads see. */
import type { WalkQuery } from '@viommu/inspector';

/** Somebody knows what was told last, and wants what has changed since. */
export const WANTS_CHANGES = 1;
/** Somebody wants all that there is. */
export const WANTS_WHOLE = 2;

/** Who has a place can ask for a walk. */
export const BOARD_PLACES = 8;

/** IOMMU, endpoint, address and access; an access of 0 is no question. */
const FIELDS = 4;
/** Int32 indices. */
const WANTS = 0;
/** Odd while a question is being written. */
const VERSION = 1;
const QUERIES_OFFSET = 8;

/** `want` and `ask` are for the thread of those who watch, `takeWants` and `queries` for that of the devices, which never waits. */
export class WatchBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #queries: Float64Array;

  /** @param buffer of a board of the other thread; a new one when not given */
  constructor(
    buffer = new SharedArrayBuffer(
      QUERIES_OFFSET + BOARD_PLACES * FIELDS * Float64Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, 2);
    this.#queries = new Float64Array(buffer, QUERIES_OFFSET);
  }

  /** @param bits WANTS_*, besides those that are there */
  want(bits: number): void {
    Atomics.or(this.#words, WANTS, bits);
  }

  takeWants(): number {
    return Atomics.exchange(this.#words, WANTS, 0);
  }

  /** @param query in the place of the one before; none when not given */
  ask(place: number, query?: WalkQuery): void {
    const { iommu, endpoint, address, access } = query ?? NO_QUERY;
    Atomics.add(this.#words, VERSION, 1);
    this.#queries.set([iommu, endpoint, address, access], place * FIELDS);
    Atomics.add(this.#words, VERSION, 1);
  }

  /** By place; none at all at the moment at which one is written. */
  queries(): readonly (WalkQuery | undefined)[] {
    const version = Atomics.load(this.#words, VERSION);
    const numbers = Float64Array.from(this.#queries);
    if (version % 2 !== 0 || Atomics.load(this.#words, VERSION) !== version) return [];
    return Array.from({ length: BOARD_PLACES }, (_, place) => {
      const [iommu, endpoint, address, access] = numbers.subarray(place * FIELDS);
      if (access === 0) return undefined;
      return { iommu: iommu!, endpoint: endpoint!, address: address!, access: access! };
    });
  }
}

const NO_QUERY: WalkQuery = { iommu: 0, endpoint: 0, address: 0, access: 0 };
