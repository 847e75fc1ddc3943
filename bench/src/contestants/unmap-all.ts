/**
 * Work `unmap-all count=N [by=range|one]`: one operation removes one mapping of N of 4 KiB. Timed: one UNMAP request that
 * covers all of them, or with `by=one` an UNMAP request for each, in batches of 128. Mapping them anew is not timed.
 */
import { BenchError } from '../bench-error.ts';
import { IommuMachine, mapPages, unmapPages } from './iommu-machine.ts';
import { PAGE, residentAddress } from './residents.ts';
import { CHAINS } from './ring-memory.ts';
import { type Keys, timed, type Work } from './work.ts';

export function createUnmapAllWork(keys: Keys): Work {
  const count = keys.count('count');
  return new UnmapAllWork(count, keys.choice('by', ['range', 'one']) === 'one');
}

class UnmapAllWork implements Work {
  readonly #count: number;
  readonly #singly: boolean;
  readonly #machine = new IommuMachine(CHAINS);

  constructor(count: number, singly: boolean) {
    this.#count = count;
    this.#singly = singly;
  }

  get sink(): number {
    return this.#machine.interrupts;
  }

  /** @param operations a multiple of N */
  run(operations: number): number {
    if (operations % this.#count !== 0) {
      throw new BenchError(`${operations} mappings: not in multiples of ${this.#count}`);
    }
    let nanoseconds = 0;
    for (let left = operations; left > 0; left -= this.#count) {
      mapPages(this.#machine, this.#count, residentAddress, CHAINS);
      nanoseconds += timed(() => {
        if (this.#singly) unmapPages(this.#machine, this.#count, residentAddress);
        else this.#unmapRange();
      });
      this.#machine.checkAnswers();
    }
    return nanoseconds;
  }

  #unmapRange(): void {
    const end = residentAddress(this.#count - 1) + PAGE - 1;
    this.#machine.driver.unmap(0, residentAddress(0), end);
    this.#machine.carryOut(1);
  }
}
