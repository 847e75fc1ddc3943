/** StrayAccess: a device that goes astray once, as soon as its guest has it in a domain: what it was not given, it accesses. */
import type { IommuObserver, VirtioIommuDevice } from '@viommu/iommu-core';
import type { PollSource } from '@viommu/vfio-user';
import { ACCESS_READ, ACCESS_WRITE, ArrayGuestMemory } from '@viommu/virtqueue';

/** The endpoint, behind the first IOMMU, and the addresses that it reads and writes one byte at. */
export interface StraySettings {
  readonly endpoint: number;
  readonly read: number;
  readonly write: number;
}

/** An access that is refused does not get to any memory. */
const NO_MEMORY = new ArrayGuestMemory([{ base: 0, buffer: new ArrayBuffer(4096) }]);

/** Has an endpoint access one byte, as its device would. To be called only where it must not. */
export function strayByte(
  device: VirtioIommuDevice,
  endpoint: number,
  address: number,
  access: number,
): void {
  const memory = device.endpointMemory(endpoint, NO_MEMORY);
  const byte = new Uint8Array(1);
  if (access === ACCESS_READ) memory.read(address, byte, 0, 1);
  else memory.write(address, byte, 0, 1);
}

/** Within a request nothing may be accessed: so the ATTACH is noted, and the rest is for the next round of its thread. */
export class StrayAccess implements PollSource {
  readonly fd = -1;
  readonly #settings: StraySettings;
  readonly #device: () => VirtioIommuDevice;
  #isAttached = false;
  #isOver = false;

  /** @param device of the first IOMMU; asked for when its guest has begun */
  constructor(settings: StraySettings, device: () => VirtioIommuDevice) {
    this.#settings = settings;
    this.#device = device;
  }

  readonly observer: IommuObserver = {
    attached: (endpoint, _domain, bypass) => {
      if (endpoint === this.#settings.endpoint && !bypass) this.#isAttached = true;
    },
  };

  wantsRead(): boolean {
    return false;
  }

  wantsWrite(): boolean {
    return false;
  }

  ready(): void {}

  work(): number {
    if (!this.#isAttached || this.#isOver) return -1;
    this.#isOver = true;
    const { endpoint, read, write } = this.#settings;
    strayByte(this.#device(), endpoint, read, ACCESS_READ);
    strayByte(this.#device(), endpoint, write, ACCESS_WRITE);
    return -1;
  }
}
