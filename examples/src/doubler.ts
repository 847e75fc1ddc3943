/** An endpoint of one's own: a virtio device that doubles numbers, behind the IOMMU, on PCI or in the memory map. */
import type { VirtioIommuDevice } from '@viommu/iommu-core';
import { createVirtioMmioDevice, type MmioDevice } from '@viommu/transport-mmio';
import { createVirtioPciFunction, type PciFunction } from '@viommu/transport-pci';
import {
  type ChainHandler,
  createDescriptorChain,
  type DescriptorChain,
  drainQueue,
  type GuestMemory,
  readChain,
  writeChain,
} from '@viommu/virtqueue';
import {
  type DeviceContext,
  VIRTIO_F_ACCESS_PLATFORM,
  type VirtioDevice,
} from '@viommu/virtqueue/device';

const QUEUE_SIZE = 64;

/** A buffer has one byte to read and one to write. The device knows neither its transport nor the IOMMU in front of it. */
export class Doubler implements VirtioDevice, ChainHandler {
  /** Reserved by nobody; a device that others are to know gets a number from the standard. */
  readonly deviceId = 0x3f;
  readonly queueMaxSizes = [QUEUE_SIZE];
  /** Addresses in the rings are the IOMMU's to translate. */
  readonly deviceFeatures = VIRTIO_F_ACCESS_PLATFORM;
  readonly configSize = 0;
  readonly #chain = createDescriptorChain(QUEUE_SIZE);
  readonly #byte = new Uint8Array(1);
  #context: DeviceContext | undefined;

  readConfig(): number {
    return 0;
  }

  writeConfig(): void {}

  activate(context: DeviceContext): void {
    this.#context = context;
  }

  reset(): void {
    this.#context = undefined;
  }

  notifyQueue(index: number): boolean {
    const queue = this.#context?.queues[index];
    return queue !== undefined && drainQueue(queue, this.#chain, this, this.#context!.interrupts);
  }

  /** @returns the length of the used element: what was written */
  handleChain(chain: DescriptorChain): number {
    const { memory } = this.#context!;
    // Fewer bytes than asked for: the guest gave fewer, or the IOMMU refused the access and has told the guest.
    if (readChain(memory, chain, 0, this.#byte, 0, 1) !== 1) return 0;
    this.#byte[0] = 2 * this.#byte[0]!;
    return Math.max(writeChain(memory, chain, 0, this.#byte, 0, 1), 0);
  }
}

const behind = (iommu: VirtioIommuDevice, endpoint: number) => (guest: GuestMemory) =>
  iommu.endpointMemory(endpoint, guest);

/** As a function of a PCI bus; by the standard its endpoint ID is what the topology says, mostly the BDF. */
export function pciDoubler(iommu: VirtioIommuDevice, endpoint: number): PciFunction {
  return createVirtioPciFunction({ device: new Doubler(), memory: behind(iommu, endpoint) });
}

/** As a window of registers. */
export function mmioDoubler(iommu: VirtioIommuDevice, endpoint: number): MmioDevice {
  return createVirtioMmioDevice({ device: new Doubler(), memory: behind(iommu, endpoint) });
}
