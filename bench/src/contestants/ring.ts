/**
 * Work `ring layout=direct|indirect|packed [barriers=no|yes]`: one operation is one chain of 16 readable and 4 writable bytes.
 * Timed: the driver refills 128 chains; the device pops each, reads its bytes, writes its tail, pushes it used, which
 * publishes it, and decides about an interrupt. `barriers=yes` has the ring in a SharedArrayBuffer.
 */
import {
  createDescriptorChain,
  PackedVirtqueue,
  SplitVirtqueue,
  type VirtqueueOptions,
} from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { PackedDriver } from './packed-driver.ts';
import {
  CHAINS,
  createRingMemory,
  DESCRIPTOR_AREA,
  DEVICE_AREA,
  DRIVER_AREA,
  QUEUE_SIZE,
  READABLE_LENGTH,
  type RingMemory,
  readableBuffer,
  WRITABLE_LENGTH,
} from './ring-memory.ts';
import { type RingDriver, SplitDriver } from './split-driver.ts';
import { type Keys, timed, type Work } from './work.ts';

const LAYOUTS = ['direct', 'indirect', 'packed'] as const;

export function createRingWork(keys: Keys): Work {
  const layout = keys.choice('layout', LAYOUTS);
  const ringMemory = createRingMemory(keys.choice('barriers', ['no', 'yes']) === 'yes');
  const { buffer } = ringMemory;
  const isPacked = layout === 'packed';
  const driver = isPacked
    ? new PackedDriver(buffer)
    : new SplitDriver(buffer, layout === 'indirect');
  return new RingWork(ringMemory, driver, isPacked);
}

class RingWork implements Work {
  sink = 0;
  readonly #driver: RingDriver;
  readonly #memory: RingMemory['memory'];
  readonly #queue: SplitVirtqueue | PackedVirtqueue;
  readonly #chain = createDescriptorChain(QUEUE_SIZE);
  readonly #request = new Uint8Array(READABLE_LENGTH);
  readonly #words = new Int32Array(this.#request.buffer);
  readonly #reply = new Uint8Array(WRITABLE_LENGTH);
  #interrupts = 0;

  constructor({ buffer, memory }: RingMemory, driver: RingDriver, isPacked: boolean) {
    this.#driver = driver;
    this.#memory = memory;
    const options: VirtqueueOptions = {
      index: 0,
      size: QUEUE_SIZE,
      memory,
      descriptorArea: DESCRIPTOR_AREA,
      driverArea: DRIVER_AREA,
      deviceArea: DEVICE_AREA,
      indirect: true,
      eventIdx: true,
      onBroken: (reason) => {
        throw new BenchError(reason);
      },
    };
    this.#queue = isPacked ? new PackedVirtqueue(options) : new SplitVirtqueue(options);
    const bytes = new Uint8Array(buffer);
    for (let chain = 0; chain < CHAINS; chain += 1) bytes[readableBuffer(chain)] = chain + 1;
  }

  run(operations: number): number {
    let served = 0;
    let refills = 0;
    this.#interrupts = 0;
    const nanoseconds = timed(() => {
      for (let left = operations; left > 0; left -= CHAINS) {
        this.#driver.refill(Math.min(left, CHAINS));
        served += this.#serve();
        refills += 1;
      }
    });
    if (served !== operations || this.#interrupts !== refills) {
      throw new BenchError(
        `${served} chains of ${operations}, ${this.#interrupts} interrupts after ${refills} refills`,
      );
    }
    return nanoseconds;
  }

  #serve(): number {
    const queue = this.#queue;
    const memory = this.#memory;
    const chain = this.#chain;
    const words = this.#words;
    let served = 0;
    while (queue.pop(chain)) {
      memory.read(chain.addresses[0]!, this.#request, 0, READABLE_LENGTH);
      this.sink ^= words[0]! ^ words[1]! ^ words[2]! ^ words[3]!;
      memory.write(chain.addresses[1]!, this.#reply, 0, WRITABLE_LENGTH);
      queue.pushUsed(chain.head, WRITABLE_LENGTH);
      if (queue.shouldInterrupt()) this.#interrupts += 1;
      served += 1;
    }
    return served;
  }
}
