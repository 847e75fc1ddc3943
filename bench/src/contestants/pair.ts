/**
 * Work `pair size=4096|1073741824 offset=0|4096 count=N`: N mappings of 4 KiB stay; one operation maps and unmaps one extent:
 * a free page among them, or 1 GiB beyond them. Timed: what MAP and UNMAP do with the table of mappings, checks included.
 */
import { MappingTable } from '@viommu/iommu-core';
import { mapAndUnmap, mapPage } from './mappings.ts';
import { freePlaces, largePlaces, PAGE, physicalOf, residentAddress } from './residents.ts';
import { type Keys, timed, type Work } from './work.ts';

export function createPairWork(keys: Keys): Work {
  const size = Number(keys.choice('size', ['4096', '1073741824']));
  const offset = Number(keys.choice('offset', ['0', '4096']));
  const count = keys.count('count');
  const table = new MappingTable(PAGE);
  for (let index = 0; index < count; index += 1) mapPage(table, residentAddress(index));
  const places = size === PAGE ? freePlaces(count) : largePlaces(offset);
  return new PairWork(table, places, size);
}

class PairWork implements Work {
  sink = 0;
  readonly #table: MappingTable;
  readonly #places: Float64Array;
  readonly #size: number;

  constructor(table: MappingTable, places: Float64Array, size: number) {
    this.#table = table;
    this.#places = places;
    this.#size = size;
  }

  run(operations: number): number {
    const places = this.#places;
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const virtStart = places[this.sink]!;
        mapAndUnmap(this.#table, virtStart, this.#size, physicalOf(virtStart));
        this.sink = this.sink + 1 === places.length ? 0 : this.sink + 1;
      }
    });
  }
}
