/** DmaDomain: a DMA API: lends memory to the devices of one domain, each piece under an address of their own. */
import { ACCESS_READ, ACCESS_WRITE, VirtioError } from '@viommu/virtqueue';
import { AddressAllocator } from './address-allocator.ts';
import type { ReservedRegion } from './iommu-config.ts';
import type { IommuDriver } from './iommu-driver.ts';
import { VIRTIO_IOMMU_MAP_F_READ, VIRTIO_IOMMU_MAP_F_WRITE } from './protocol.ts';

/** Memory that driver and device share until it is freed. */
export interface DmaBuffer {
  /** Where the driver sees it. */
  readonly address: number;
  /** Where the device sees it. */
  readonly deviceAddress: number;
  /** Bytes. */
  readonly length: number;
}

export interface DmaDomainOptions {
  readonly driver: IommuDriver;
  /** The domain's number, within the device's domain range. */
  readonly domain: number;
  /** Where {@link DmaDomain.allocate} takes memory from. */
  readonly pages: AddressAllocator;
}

export class DmaDomain {
  readonly domain: number;
  readonly #driver: IommuDriver;
  readonly #pages: AddressAllocator;
  readonly #addresses: AddressAllocator;

  constructor(options: DmaDomainOptions) {
    const { inputRange, granule } = options.driver.config;
    if (options.pages.granule % granule !== 0) {
      throw new VirtioError(
        'GRANULE',
        `pages of ${options.pages.granule} bytes cannot be mapped by granules of ${granule}`,
      );
    }
    this.domain = options.domain;
    this.#driver = options.driver;
    this.#pages = options.pages;
    // "virt_end MUST be strictly greater than virt_start": granules of one byte are mapped in pairs.
    this.#addresses = new AddressAllocator(inputRange.start, inputRange.end, Math.max(granule, 2));
  }

  /**
   * Attaches an endpoint, and keeps off what is reserved for it. Attach all endpoints before the first mapping.
   *
   * @returns what is reserved for it
   * @throws IommuRequestError
   */
  attach(endpoint: number): readonly ReservedRegion[] {
    const regions = this.#driver.probe(endpoint);
    for (const { start, end } of regions) this.#addresses.reserve(start, end);
    this.#driver.attach(this.domain, endpoint);
    return regions;
  }

  /** With the last endpoint the domain and its mappings are gone. @throws IommuRequestError */
  detach(endpoint: number): void {
    this.#driver.detach(this.domain, endpoint);
  }

  /**
   * Lets the devices reach memory that the driver has already. Whole granules are mapped, so neighbours inside the first
   * and the last granule are lent too.
   *
   * @param access ACCESS_READ, ACCESS_WRITE or both: what the device may do
   * @returns the address for the device
   * @throws IommuRequestError; VirtioError `NO_ADDRESSES`
   */
  map(address: number, length: number, access: number): number {
    const { granule } = this.#addresses;
    const offset = address % granule;
    const size = Math.ceil((offset + length) / granule) * granule;
    const virtStart = this.#addresses.allocate(size);
    try {
      this.#driver.map(
        this.domain,
        virtStart,
        virtStart + size - 1,
        address - offset,
        ((access & ACCESS_READ) !== 0 ? VIRTIO_IOMMU_MAP_F_READ : 0) |
          ((access & ACCESS_WRITE) !== 0 ? VIRTIO_IOMMU_MAP_F_WRITE : 0),
      );
    } catch (error) {
      this.#addresses.free(virtStart, size);
      throw error;
    }
    return virtStart + offset;
  }

  /** Takes back what {@link map} lent; both arguments as `map` answered and got them. @throws IommuRequestError */
  unmap(deviceAddress: number, length: number): void {
    const { granule } = this.#addresses;
    const offset = deviceAddress % granule;
    const size = Math.ceil((offset + length) / granule) * granule;
    this.#driver.unmap(this.domain, deviceAddress - offset, deviceAddress - offset + size - 1);
    this.#addresses.free(deviceAddress - offset, size);
  }

  /** Memory for rings and buffers, which the devices may read and write. @throws IommuRequestError; VirtioError */
  allocate(length: number): DmaBuffer {
    const address = this.#pages.allocate(length);
    try {
      const deviceAddress = this.map(address, length, ACCESS_READ | ACCESS_WRITE);
      return { address, deviceAddress, length };
    } catch (error) {
      this.#pages.free(address, length);
      throw error;
    }
  }

  /** @throws IommuRequestError */
  free(buffer: DmaBuffer): void {
    this.unmap(buffer.deviceAddress, buffer.length);
    this.#pages.free(buffer.address, buffer.length);
  }
}
