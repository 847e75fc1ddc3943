export type { PciAddress } from './pci-address.ts';
export { formatBdf, formatPciAddress, parsePciAddress } from './pci-address.ts';
export { readViot } from './table-reader.ts';
export type { ViotOptions } from './table-writer.ts';
export { writeViot } from './table-writer.ts';
export type { EndpointRange, Iommu, PciEndpointRange, PciIommu, Topology } from './topology.ts';
export { endpointId, endpointRange } from './topology.ts';
export type { ViotErrorCode } from './viot-error.ts';
export { ViotError } from './viot-error.ts';
