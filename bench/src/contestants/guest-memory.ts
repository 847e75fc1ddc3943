/**
 * Work `guest-memory size=BYTES regions=N`: N buffers of equal length, one behind the other, each page of which was written
 * once. One operation reads 16 bytes at one of 2^20 prepared addresses, multiples of 16 anywhere. Timed: `ArrayGuestMemory.read`.
 */
import { ArrayGuestMemory } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { createRandom } from './random.ts';
import { type Keys, timed, type Work } from './work.ts';

/** Their cache lines are 64 MiB: with fewer, what is read would stay in the cache. */
const PREPARED = 2 ** 20;
const LENGTH = 16;
const PAGE = 4096;

export function createGuestMemoryWork(keys: Keys): Work {
  const size = keys.count('size');
  const regions = keys.count('regions');
  const length = size / regions;
  const memory = new ArrayGuestMemory(
    Array.from({ length: regions }, (_, index) => ({
      base: index * length,
      buffer: writtenBuffer(length),
    })),
  );
  const random = createRandom();
  const addresses = Float64Array.from({ length: PREPARED }, () => LENGTH * random(size / LENGTH));
  return new GuestMemoryWork(memory, addresses);
}

/** Pages that were never written are all the same page of the machine's memory. */
function writtenBuffer(length: number): ArrayBuffer {
  const buffer = new ArrayBuffer(length);
  const bytes = new Uint8Array(buffer);
  for (let at = 0; at < length; at += PAGE) bytes[at] = 1;
  return buffer;
}

class GuestMemoryWork implements Work {
  sink = 0;
  readonly #memory: ArrayGuestMemory;
  readonly #addresses: Float64Array;
  readonly #target = new Uint8Array(LENGTH);
  #next = 0;

  constructor(memory: ArrayGuestMemory, addresses: Float64Array) {
    this.#memory = memory;
    this.#addresses = addresses;
  }

  run(operations: number): number {
    return timed(() => {
      for (let left = operations; left > 0; left -= 1) {
        const address = this.#addresses[this.#next]!;
        if (!this.#memory.read(address, this.#target, 0, LENGTH)) {
          throw new BenchError(`nothing was read at ${address}`);
        }
        this.sink ^= this.#target[0]!;
        this.#next = (this.#next + 1) % PREPARED;
      }
    });
  }
}
