/** The IOMMU's configuration and its PROBE answers, as values. */
import { type AccessWidth, joinLe64 } from '@viommu/virtqueue';
import { type DriverTransport, readStableConfig } from '@viommu/virtqueue/driver';
import {
  CONFIG_BYPASS,
  CONFIG_DOMAIN_RANGE_END,
  CONFIG_DOMAIN_RANGE_START,
  CONFIG_INPUT_RANGE_END,
  CONFIG_INPUT_RANGE_START,
  CONFIG_PAGE_SIZE_MASK,
  CONFIG_PROBE_SIZE,
  PROPERTY_HEAD_SIZE,
  PROPERTY_RESERVED_MASK,
  PROPERTY_TYPE_MASK,
  RESV_MEM_END,
  RESV_MEM_SIZE,
  RESV_MEM_START,
  RESV_MEM_SUBTYPE,
  VIRTIO_IOMMU_F_BYPASS_CONFIG,
  VIRTIO_IOMMU_F_DOMAIN_RANGE,
  VIRTIO_IOMMU_F_INPUT_RANGE,
  VIRTIO_IOMMU_F_PROBE,
  VIRTIO_IOMMU_PROBE_T_NONE,
  VIRTIO_IOMMU_PROBE_T_RESV_MEM,
} from './protocol.ts';

/** "Device configuration layout"; the values that hold without a feature stand in for what it would say. Ends are inclusive. */
export interface IommuConfig {
  /** Each bit is a page size that the device supports; the lowest is the granule of mappings. */
  readonly pageSizeMask: bigint;
  /** Lowest page size in bytes. */
  readonly granule: number;
  readonly inputRange: { readonly start: number; readonly end: number };
  readonly domainRange: { readonly start: number; readonly end: number };
  /** Bytes of properties in the answer to PROBE; 0 without VIRTIO_IOMMU_F_PROBE. */
  readonly probeSize: number;
  /** Whether endpoints without a domain reach memory; undefined without VIRTIO_IOMMU_F_BYPASS_CONFIG. */
  readonly bypass: boolean | undefined;
}

/** Reads the configuration in one piece, however often it changes meanwhile. */
export function readIommuConfig(transport: DriverTransport, features: bigint): IommuConfig {
  return readStableConfig(transport, () => readFields(transport, features));
}

function readFields(transport: DriverTransport, features: bigint): IommuConfig {
  const has = (feature: bigint): boolean => (features & feature) !== 0n;
  const read = (offset: number, width: AccessWidth): number => transport.readConfig(offset, width);
  const read64 = (offset: number): number => joinLe64(read(offset, 4), read(offset + 4, 4));
  const pageSizeMask =
    BigInt(read(CONFIG_PAGE_SIZE_MASK, 4)) | (BigInt(read(CONFIG_PAGE_SIZE_MASK + 4, 4)) << 32n);
  return {
    pageSizeMask,
    granule: Number(pageSizeMask & -pageSizeMask),
    inputRange: has(VIRTIO_IOMMU_F_INPUT_RANGE)
      ? { start: read64(CONFIG_INPUT_RANGE_START), end: read64(CONFIG_INPUT_RANGE_END) }
      : { start: 0, end: Number.MAX_SAFE_INTEGER },
    domainRange: has(VIRTIO_IOMMU_F_DOMAIN_RANGE)
      ? { start: read(CONFIG_DOMAIN_RANGE_START, 4), end: read(CONFIG_DOMAIN_RANGE_END, 4) }
      : { start: 0, end: 0xffff_ffff },
    probeSize: has(VIRTIO_IOMMU_F_PROBE) ? read(CONFIG_PROBE_SIZE, 4) : 0,
    // "The driver SHOULD ignore bits 1-7 of bypass."
    bypass: has(VIRTIO_IOMMU_F_BYPASS_CONFIG) ? (read(CONFIG_BYPASS, 1) & 1) === 1 : undefined,
  };
}

/** Property RESV_MEM: addresses that must not be mapped for an endpoint. Ends are inclusive. */
export interface ReservedRegion {
  /** VIRTIO_IOMMU_RESV_MEM_T_*: 0 reserved, 1 the doorbell of message-signalled interrupts. */
  readonly subtype: number;
  readonly start: number;
  readonly end: number;
}

/** Finds the reserved regions in the properties of a PROBE; "the driver MUST ignore" other properties. */
export function parseReservedRegions(properties: Uint8Array): ReservedRegion[] {
  const view = new DataView(properties.buffer, properties.byteOffset, properties.byteLength);
  const read64 = (offset: number): number =>
    joinLe64(view.getUint32(offset, true), view.getUint32(offset + 4, true));
  const regions: ReservedRegion[] = [];
  let offset = 0;
  while (offset + PROPERTY_HEAD_SIZE <= view.byteLength) {
    const head = view.getUint16(offset, true);
    const type = head & PROPERTY_TYPE_MASK;
    const size = PROPERTY_HEAD_SIZE + view.getUint16(offset + 2, true);
    if (head === VIRTIO_IOMMU_PROBE_T_NONE || offset + size > view.byteLength) break;
    // "The driver MUST ignore a property whose reserved field is not zero", and goes on behind it.
    const isKnown = type === VIRTIO_IOMMU_PROBE_T_RESV_MEM && (head & PROPERTY_RESERVED_MASK) === 0;
    if (isKnown && size >= RESV_MEM_SIZE) {
      regions.push({
        subtype: view.getUint8(offset + RESV_MEM_SUBTYPE),
        start: read64(offset + RESV_MEM_START),
        end: read64(offset + RESV_MEM_END),
      });
    }
    offset += size;
  }
  return regions;
}
