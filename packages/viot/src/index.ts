export type { DtsDevice, DtsFragmentOptions, DtsOptions } from './device-tree/dts-options.ts';
export { readDeviceTree } from './device-tree/read-device-tree.ts';
export { writeDts, writeDtsFragment } from './device-tree/write-dts.ts';
export { normalizeTopology } from './normalize.ts';
export type { PciAddress } from './pci-address.ts';
export { formatBdf, formatPciAddress, parsePciAddress } from './pci-address.ts';
export { readTopology } from './read-topology.ts';
export { decodeViot } from './table/decode.ts';
export { encodeViot } from './table/encode.ts';
export type { Finding, FindingCode } from './table/finding.ts';
export type { LintResult } from './table/lint.ts';
export { lintViot } from './table/lint.ts';
export type { ViotOptions } from './table/topology-table.ts';
export { readViot, tableTopology, topologyTable, writeViot } from './table/topology-table.ts';
export type {
  MmioEndpointNode,
  MmioIommuNode,
  PciIommuNode,
  PciRangeNode,
  UnknownNode,
  ViotHeader,
  ViotNode,
  ViotTable,
} from './table/viot-table.ts';
export type {
  EndpointRange,
  Iommu,
  MmioEndpoint,
  MmioIommu,
  PciEndpointRange,
  PciIommu,
  Topology,
  VendorIommu,
} from './topology.ts';
export { endpointId, endpointRange, mmioEndpoint } from './topology.ts';
export type { ViotErrorCode } from './viot-error.ts';
export { ViotError } from './viot-error.ts';
