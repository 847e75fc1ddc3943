/**
 * Work `translate count=N pattern=random|hot [through=backend|memory] [prepared=65536|1048576]`: N mappings of 4 KiB, one on every second page. One
 * operation translates one of some prepared addresses: anywhere, or in the first 64 mappings. Timed: all of it, by
 * `TranslationBackend.translate`, or with `through=memory` by reads of 4 bytes through the endpoint's memory, which
 * translates, counts and reads.
 */
import type { TranslationBackend, TranslationResult } from '@viommu/iommu-core';
import { ArrayGuestMemory, type GuestMemory } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { IommuMachine, mapPages } from './iommu-machine.ts';
import { ENDPOINT, translateAll } from './mappings.ts';
import { createRandom } from './random.ts';
import { PAGE, physicalOf, residentAddress } from './residents.ts';
import { CHAINS } from './ring-memory.ts';
import { type Keys, timed, type Work } from './work.ts';

export const HOT_MAPPINGS = 64;
const ACCESS_LENGTH = 4;

export function createTranslateWork(keys: Keys): Work {
  const count = keys.count('count');
  const pattern = keys.choice('pattern', ['random', 'hot']);
  const through = keys.choice('through', ['backend', 'memory']);
  const prepared = Number(keys.choice('prepared', ['65536', '1048576']));
  const machine = new IommuMachine(CHAINS);
  mapPages(machine, count, residentAddress, CHAINS);
  machine.checkAnswers();
  const addresses = prepareAddresses(
    pattern === 'hot' ? Math.min(count, HOT_MAPPINGS) : count,
    prepared,
  );
  const { backend, device } = machine.iommu;
  return through === 'backend'
    ? new TranslateWork(backend, addresses)
    : new ReadWork(device.endpointMemory(ENDPOINT, createHostMemory(count)), addresses);
}

/** Multiples of 4 below 4092 within the first `mappings`. */
export function prepareAddresses(mappings: number, prepared = 65_536): Float64Array {
  const random = createRandom();
  return Float64Array.from(
    { length: prepared },
    () => residentAddress(random(mappings)) + ACCESS_LENGTH * random(PAGE / ACCESS_LENGTH - 1),
  );
}

/** One region for all that the mappings lead to, as a guest's RAM is. */
function createHostMemory(count: number): GuestMemory {
  const base = physicalOf(residentAddress(0));
  const length = physicalOf(residentAddress(count)) - base;
  return new ArrayGuestMemory([{ base, buffer: new ArrayBuffer(length) }]);
}

class TranslateWork implements Work {
  sink = 0;
  readonly #backend: TranslationBackend;
  readonly #addresses: Float64Array;
  readonly #out: TranslationResult = { physical: 0, length: 0, bypass: false };
  #next = 0;

  constructor(backend: TranslationBackend, addresses: Float64Array) {
    this.#backend = backend;
    this.#addresses = addresses;
  }

  run(operations: number): number {
    return timed(() => {
      for (let left = operations; left > 0; ) {
        const count = Math.min(left, this.#addresses.length - this.#next);
        const end = this.#next + count;
        const sum = translateAll(this.#backend, this.#addresses, this.#next, end, this.#out);
        this.sink = (this.sink + sum) | 0;
        this.#next = end % this.#addresses.length;
        left -= count;
      }
    });
  }
}

class ReadWork implements Work {
  sink = 0;
  readonly #memory: GuestMemory;
  readonly #addresses: Float64Array;
  readonly #target = new Uint8Array(ACCESS_LENGTH);
  #next = 0;

  constructor(memory: GuestMemory, addresses: Float64Array) {
    this.#memory = memory;
    this.#addresses = addresses;
  }

  run(operations: number): number {
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const address = this.#addresses[this.#next]!;
        if (!this.#memory.read(address, this.#target, 0, ACCESS_LENGTH)) {
          throw new BenchError(`nothing was read at ${address}`);
        }
        this.sink ^= this.#target[0]!;
        this.#next = (this.#next + 1) % this.#addresses.length;
      }
    });
  }
}
