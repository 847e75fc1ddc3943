/**
 * Work `nested-map by=range|page`: one operation maps 2 MiB for a device that is passed through, over a stage 2 whose frames
 * of 4 KiB are scattered: by one MAP of 2 MiB, or by 512 of 4 KiB. Timed: the maps of 16 such ranges; unmapping is not.
 */
import { MappingTable, type TranslationBackend, VIRTIO_IOMMU_S_OK } from '@viommu/iommu-core';
import { HostMemory, MemorySlots, nestedBackend, PhysicalIommu } from '@viommu/pviommu-sim';
import { VfioContainer } from '@viommu/vfio';
import { ArrayGuestMemory, silentLogger } from '@viommu/virtqueue';
import { BenchError } from '../bench-error.ts';
import { DOMAIN, ENDPOINT } from './mappings.ts';
import { PAGE } from './residents.ts';
import { type Keys, timed, type Work } from './work.ts';

const RANGE = 2 << 20;
const RANGES = 16;
const HOST_ENDPOINT = 0x100;
const VIRT_BASE = 0x1_0000_0000;
const READ_WRITE = 3;

export function createNestedMapWork(keys: Keys): Work {
  const size = keys.choice('by', ['range', 'page']) === 'range' ? RANGE : PAGE;
  return new NestedMapWork(createNestedBackend(), size);
}

function createNestedBackend(): TranslationBackend {
  const length = RANGES * RANGE;
  const memory = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(length) }]);
  const host = new HostMemory();
  const slots = new MemorySlots();
  slots.add({ guestStart: 0, length, userAddress: host.mapMemory(memory, 0, length) });
  const physical = new PhysicalIommu();
  const container = new VfioContainer({
    iommu: physical.createAddressSpace(),
    userMemory: host,
  });
  if (container.attachGroup({ endpoints: [HOST_ENDPOINT] }) !== 0) {
    throw new BenchError('the container did not take the group');
  }
  const passedThrough = () => ({ hostEndpoint: HOST_ENDPOINT, container });
  const backend = nestedBackend({ slots, physical, passedThrough })({ logger: silentLogger });
  backend.addEndpoint(ENDPOINT);
  backend.createDomain(DOMAIN, false, new MappingTable(PAGE));
  backend.attach(ENDPOINT, DOMAIN);
  return backend;
}

class NestedMapWork implements Work {
  sink = 0;
  readonly #backend: TranslationBackend;
  readonly #size: number;

  constructor(backend: TranslationBackend, size: number) {
    this.#backend = backend;
    this.#size = size;
  }

  run(operations: number): number {
    let nanoseconds = 0;
    for (let left = operations; left > 0; left -= RANGES) {
      const length = Math.min(left, RANGES) * RANGE;
      nanoseconds += timed(() => this.#map(length));
      this.#check(this.#backend.unmap!(DOMAIN, VIRT_BASE, VIRT_BASE + length - 1));
    }
    return nanoseconds;
  }

  #map(length: number): void {
    const size = this.#size;
    for (let done = 0; done < length; done += size) {
      const virtStart = VIRT_BASE + done;
      this.#check(this.#backend.map!(DOMAIN, virtStart, virtStart + size - 1, done, READ_WRITE));
      this.sink += 1;
    }
  }

  #check(status: number): void {
    if (status !== VIRTIO_IOMMU_S_OK) throw new BenchError(`the backend answered ${status}`);
  }
}
