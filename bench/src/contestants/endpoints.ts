/**
 * Work `endpoints operation=translate|attach|unmap count=N`: N endpoints. Timed by one operation:
 * - `translate`: each endpoint is in a domain of its own with one mapping of 4 KiB; one translation by
 *   `TranslationBackend.translate`, for one endpoint after the other in random order
 * - `attach`: the same; an ATTACH request puts one into another domain of its own, which begins as the former one ends
 * - `unmap`: all are in one domain; an UNMAP request of one page. Mapping it is not timed
 *
 * Requests come in batches of 128, with what the driver and the queue cost.
 */
import { TRANSLATION_OK, type TranslationResult } from '@viommu/iommu-core';
import { ACCESS_READ } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { IommuMachine, mapPages, unmapPages } from './iommu-machine.ts';
import { DOMAIN, ENDPOINT } from './mappings.ts';
import { shuffled } from './random.ts';
import { PAGE, physicalOf, residentAddress } from './residents.ts';
import { CHAINS } from './ring-memory.ts';
import { type Keys, timed, type Work } from './work.ts';

export function createEndpointsWork(keys: Keys): Work {
  const operation = keys.choice('operation', ['translate', 'attach', 'unmap']);
  const count = keys.count('count');
  const machine = new IommuMachine(CHAINS, { endpoints: count });
  const order = shuffled(count);
  attachAll(machine, count, operation === 'unmap');
  switch (operation) {
    case 'translate':
      mapInEach(machine, count);
      return new TranslateWork(machine, order);
    case 'attach':
      return new AttachWork(machine, order);
    case 'unmap':
      return new UnmapWork(machine);
  }
}

function attachAll(machine: IommuMachine, count: number, isOneDomain: boolean): void {
  inBatches(machine, count, (slot, index) => {
    machine.driver.attach(slot, ENDPOINT + index, isOneDomain ? DOMAIN : DOMAIN + index);
  });
}

function mapInEach(machine: IommuMachine, count: number): void {
  const virtStart = residentAddress(0);
  inBatches(machine, count, (slot, index) => {
    const physStart = physicalOf(residentAddress(index));
    machine.driver.map(slot, virtStart, virtStart + PAGE - 1, physStart, DOMAIN + index);
  });
}

function inBatches(
  machine: IommuMachine,
  count: number,
  write: (slot: number, index: number) => void,
): void {
  for (let done = 0; done < count; done += CHAINS) {
    const batch = Math.min(CHAINS, count - done);
    for (let slot = 0; slot < batch; slot += 1) write(slot, done + slot);
    machine.carryOut(batch);
  }
  machine.checkAnswers();
}

class TranslateWork implements Work {
  sink = 0;
  readonly #machine: IommuMachine;
  readonly #order: Int32Array;
  readonly #out: TranslationResult = { physical: 0, length: 0, bypass: false };
  #next = 0;

  constructor(machine: IommuMachine, order: Int32Array) {
    this.#machine = machine;
    this.#order = order;
  }

  run(operations: number): number {
    const { backend } = this.#machine.iommu;
    const address = residentAddress(0);
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const endpoint = ENDPOINT + this.#order[this.#next]!;
        if (backend.translate(endpoint, address, 4, ACCESS_READ, this.#out) !== TRANSLATION_OK) {
          throw new BenchError(`nothing is mapped for endpoint ${endpoint}`);
        }
        this.sink = (this.sink + this.#out.physical) | 0;
        this.#next = this.#next + 1 === this.#order.length ? 0 : this.#next + 1;
      }
    });
  }
}

class AttachWork implements Work {
  readonly #machine: IommuMachine;
  readonly #order: Int32Array;
  /** By endpoint: in which of its two domains it is. */
  readonly #turn: Uint8Array;
  #next = 0;

  constructor(machine: IommuMachine, order: Int32Array) {
    this.#machine = machine;
    this.#order = order;
    this.#turn = new Uint8Array(order.length);
  }

  get sink(): number {
    return this.#machine.interrupts;
  }

  run(operations: number): number {
    const nanoseconds = timed(() => {
      for (let left = operations; left > 0; left -= CHAINS) this.#batch(Math.min(left, CHAINS));
    });
    this.#machine.checkAnswers();
    return nanoseconds;
  }

  #batch(count: number): void {
    const { length } = this.#order;
    for (let slot = 0; slot < count; slot += 1) {
      const index = this.#order[this.#next]!;
      this.#next = this.#next + 1 === length ? 0 : this.#next + 1;
      this.#turn[index]! ^= 1;
      const domain = DOMAIN + index + length * this.#turn[index]!;
      this.#machine.driver.attach(slot, ENDPOINT + index, domain);
    }
    this.#machine.carryOut(count);
  }
}

class UnmapWork implements Work {
  readonly #machine: IommuMachine;

  constructor(machine: IommuMachine) {
    this.#machine = machine;
  }

  get sink(): number {
    return this.#machine.interrupts;
  }

  run(operations: number): number {
    let nanoseconds = 0;
    for (let left = operations; left > 0; left -= CHAINS) {
      const count = Math.min(left, CHAINS);
      mapPages(this.#machine, count, residentAddress, CHAINS);
      nanoseconds += timed(() => unmapPages(this.#machine, count, residentAddress));
    }
    this.#machine.checkAnswers();
    return nanoseconds;
  }
}
