/**
 * Works of one design for a table of mappings, N of 4 KiB, one on every second page:
 * `candidate-translate design=NAME count=N pattern=random|hot` translates prepared addresses, as `translate` does;
 * `candidate-pair design=NAME size=4096|1073741824 offset=0|4096 count=N` maps and unmaps one extent, as `pair` does.
 * Timed: the table alone, with the checks that a MAP and an UNMAP need.
 */
import { TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import { ACCESS_READ, ACCESS_WRITE } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import {
  freePlaces,
  largePlaces,
  PAGE,
  physicalOf,
  residentAddress,
} from '../contestants/residents.ts';
import { HOT_MAPPINGS, prepareAddresses } from '../contestants/translate.ts';
import { type Keys, timed, type Work } from '../contestants/work.ts';
import type { CandidateTable } from './candidate-table.ts';
import { CANDIDATE_NAMES, CANDIDATES } from './candidates.ts';

const READ_WRITE = ACCESS_READ | ACCESS_WRITE;

export function createCandidateTranslateWork(keys: Keys): Work {
  const table = createTable(keys);
  const count = fill(table, keys.count('count'));
  const isHot = keys.choice('pattern', ['random', 'hot']) === 'hot';
  return new TranslateWork(table, prepareAddresses(isHot ? Math.min(count, HOT_MAPPINGS) : count));
}

export function createCandidatePairWork(keys: Keys): Work {
  const table = createTable(keys);
  const count = fill(table, keys.count('count'));
  const size = Number(keys.choice('size', ['4096', '1073741824']));
  const offset = Number(keys.choice('offset', ['0', '4096']));
  return new PairWork(table, size === PAGE ? freePlaces(count) : largePlaces(offset), size);
}

function createTable(keys: Keys): CandidateTable {
  return CANDIDATES[keys.choice('design', CANDIDATE_NAMES)]();
}

function fill(table: CandidateTable, count: number): number {
  for (let index = 0; index < count; index += 1) {
    const virtStart = residentAddress(index);
    map(table, virtStart, PAGE);
  }
  return count;
}

function map(table: CandidateTable, virtStart: number, length: number): void {
  if (!table.map(virtStart, virtStart + length - 1, physicalOf(virtStart), READ_WRITE)) {
    throw new BenchError(`${virtStart} is mapped already`);
  }
}

class TranslateWork implements Work {
  sink = 0;
  readonly #table: CandidateTable;
  readonly #addresses: Float64Array;
  readonly #out: TranslationResult = { physical: 0, length: 0, bypass: false };
  #next = 0;

  constructor(table: CandidateTable, addresses: Float64Array) {
    this.#table = table;
    this.#addresses = addresses;
  }

  run(operations: number): number {
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const address = this.#addresses[this.#next]!;
        if (this.#table.translate(address, 4, ACCESS_READ, this.#out) !== TRANSLATION_OK) {
          throw new BenchError(`${address} was not translated`);
        }
        this.sink = (this.sink + this.#out.physical) | 0;
        this.#next = this.#next + 1 === this.#addresses.length ? 0 : this.#next + 1;
      }
    });
  }
}

class PairWork implements Work {
  sink = 0;
  readonly #table: CandidateTable;
  readonly #places: Float64Array;
  readonly #size: number;

  constructor(table: CandidateTable, places: Float64Array, size: number) {
    this.#table = table;
    this.#places = places;
    this.#size = size;
  }

  run(operations: number): number {
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const virtStart = this.#places[this.sink]!;
        map(this.#table, virtStart, this.#size);
        if (!this.#table.unmap(virtStart, virtStart + this.#size - 1)) {
          throw new BenchError(`${this.#size} bytes at ${virtStart} could not be unmapped`);
        }
        this.sink = this.sink + 1 === this.#places.length ? 0 : this.sink + 1;
      }
    });
  }
}
