/**
 * Work `request count=N`: N mappings of 4 KiB stay. One operation is one request; they come in batches of 128: 64 MAP of free
 * pages in random order, then 64 UNMAP of the same. Timed: the driver writes them into the queue and kicks; the device, in
 * its session, pops, reads, checks and carries out each, writes its tail and pushes it used; one decision about an interrupt.
 */
import { BenchError } from '../bench-error.ts';
import { IommuMachine, mapPages } from './iommu-machine.ts';
import { freePlaces, PAGE, physicalOf, REQUESTS_OF_A_KIND, residentAddress } from './residents.ts';
import { type Keys, timed, type Work } from './work.ts';

const BATCH = 2 * REQUESTS_OF_A_KIND;
/** Room beside 2^20 residents. */
const MOST_MAPPINGS = 2 ** 21;

export function createRequestWork(keys: Keys): Work {
  const count = keys.count('count');
  const machine = new IommuMachine(REQUESTS_OF_A_KIND, { maxMappings: MOST_MAPPINGS });
  mapPages(machine, count, residentAddress, REQUESTS_OF_A_KIND);
  return new RequestWork(machine, freePlaces(count));
}

class RequestWork implements Work {
  readonly #machine: IommuMachine;
  readonly #places: Float64Array;
  #next = 0;

  constructor(machine: IommuMachine, places: Float64Array) {
    this.#machine = machine;
    this.#places = places;
  }

  get sink(): number {
    return this.#machine.interrupts;
  }

  /** @param operations a multiple of 128 */
  run(operations: number): number {
    if (operations % BATCH !== 0) throw new BenchError(`${operations} requests: not in 128s`);
    this.#machine.interrupts = 0;
    const nanoseconds = timed(() => {
      for (let left = operations; left > 0; left -= BATCH) this.#batch();
    });
    this.#machine.checkAnswers();
    const { interrupts } = this.#machine;
    if (interrupts !== operations / BATCH) throw new BenchError(`${interrupts} interrupts`);
    return nanoseconds;
  }

  #batch(): void {
    const { driver } = this.#machine;
    for (let index = 0; index < REQUESTS_OF_A_KIND; index += 1) {
      const virtStart = this.#places[this.#next]!;
      const virtEnd = virtStart + PAGE - 1;
      driver.map(index, virtStart, virtEnd, physicalOf(virtStart));
      driver.unmap(REQUESTS_OF_A_KIND + index, virtStart, virtEnd);
      this.#next = this.#next + 1 === this.#places.length ? 0 : this.#next + 1;
    }
    this.#machine.carryOut(BATCH);
  }
}
