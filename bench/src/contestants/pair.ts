/**
 * Work `pair size=4096|1073741824 offset=0|4096 count=N`: N mappings of 4 KiB stay; one operation maps and unmaps one extent:
 * a free page among them, or 1 GiB beyond them. Timed: `map` and `unmap` of the TranslationBackend.
 */
import type { TranslationBackend } from '@viommu/iommu-core';
import { IommuMachine, mapPages } from './iommu-machine.ts';
import { mapAndUnmap } from './mappings.ts';
import { freePlaces, largePlaces, PAGE, physicalOf, residentAddress } from './residents.ts';
import { CHAINS } from './ring-memory.ts';
import { type Keys, timed, type Work } from './work.ts';

export function createPairWork(keys: Keys): Work {
  const size = Number(keys.choice('size', ['4096', '1073741824']));
  const offset = Number(keys.choice('offset', ['0', '4096']));
  const count = keys.count('count');
  const machine = new IommuMachine(CHAINS);
  mapPages(machine, count, residentAddress, CHAINS);
  machine.checkAnswers();
  const places = size === PAGE ? freePlaces(count) : largePlaces(offset);
  return new PairWork(machine.iommu.backend, places, size);
}

class PairWork implements Work {
  sink = 0;
  readonly #backend: TranslationBackend;
  readonly #places: Float64Array;
  readonly #size: number;

  constructor(backend: TranslationBackend, places: Float64Array, size: number) {
    this.#backend = backend;
    this.#places = places;
    this.#size = size;
  }

  run(operations: number): number {
    const places = this.#places;
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const virtStart = places[this.sink]!;
        mapAndUnmap(this.#backend, virtStart, this.#size, physicalOf(virtStart));
        this.sink = this.sink + 1 === places.length ? 0 : this.sink + 1;
      }
    });
  }
}
