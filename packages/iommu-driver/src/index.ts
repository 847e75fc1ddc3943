export { AddressAllocator } from './address-allocator.ts';
export type { DmaBuffer, DmaDomainOptions } from './dma-domain.ts';
export { DmaDomain } from './dma-domain.ts';
export type { IommuFault } from './fault-channel.ts';
export type { IommuConfig, ReservedRegion } from './iommu-config.ts';
export type { IommuDriverOptions } from './iommu-driver.ts';
export { IommuDriver } from './iommu-driver.ts';
export { STATUS_NAMES } from './protocol.ts';
export { IommuRequestError } from './request-error.ts';
