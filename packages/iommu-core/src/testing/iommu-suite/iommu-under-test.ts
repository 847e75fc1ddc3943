/** The contract IommuUnderTest: a virtio-iommu as it looks from outside, for iommuSuite. Types and docs only. */
import type { DeviceUnderTest } from '@viommu/virtqueue/testing';

/** `place` has 256 KiB more than 16 of the device's pages. A device behind it is not needed, but half of the cases want one. */
export interface IommuUnderTest extends DeviceUnderTest {
  /** Two that the device manages; neither has a region of RESV_MEM below 256 pages of its granule from `input_range.start` on. */
  readonly endpoints: readonly [number, number];
  /** An ID that no endpoint has. */
  readonly absentEndpoint: number;
  /** Most mappings at once, when a test can reach that many: at most 4096. */
  readonly maxMappings?: number;
  /** How an endpoint does DMA. */
  readonly dma?: EndpointDma;
}

/** Accesses by an endpoint. Addresses are its own, before they are translated; lengths are in bytes. */
export interface EndpointDma {
  /**
   * Writes bytes of which none is 0.
   *
   * @returns false when the access was refused, as a whole or from some byte on
   */
  write(endpoint: number, address: number, length: number): boolean;
  /** Left out by an adapter that cannot see what an endpoint has read. @returns undefined when the access was refused */
  read?(endpoint: number, address: number, length: number): Uint8Array | undefined;
}
