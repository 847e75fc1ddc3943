/** Writes a topology as an ACPI VIOT table. */
import { byteSum } from './checksum.ts';
import {
  HEADER_CHECKSUM,
  HEADER_CREATOR_ID,
  HEADER_CREATOR_ID_LENGTH,
  HEADER_CREATOR_REVISION,
  HEADER_LENGTH,
  HEADER_OEM_ID,
  HEADER_OEM_ID_LENGTH,
  HEADER_OEM_REVISION,
  HEADER_OEM_TABLE_ID,
  HEADER_OEM_TABLE_ID_LENGTH,
  HEADER_REVISION,
  HEADER_SIGNATURE,
  IOMMU_PCI_BDF,
  IOMMU_PCI_SEGMENT,
  IOMMU_PCI_SIZE,
  NODE_LENGTH,
  NODE_TYPE,
  PCI_RANGE_BDF_END,
  PCI_RANGE_BDF_START,
  PCI_RANGE_ENDPOINT_START,
  PCI_RANGE_OUTPUT_NODE,
  PCI_RANGE_SEGMENT_END,
  PCI_RANGE_SEGMENT_START,
  PCI_RANGE_SIZE,
  VIOT_HEADER_SIZE,
  VIOT_NODE_COUNT,
  VIOT_NODE_OFFSET,
  VIOT_NODE_PCI_RANGE,
  VIOT_NODE_VIRTIO_IOMMU_PCI,
  VIOT_REVISION,
  VIOT_SIGNATURE,
} from './table-layout.ts';
import type { EndpointRange, Iommu, Topology } from './topology.ts';
import { checkTopology } from './topology-check.ts';
import { ViotError } from './viot-error.ts';

/** Who made the table. Texts are ASCII, shorter ones are padded with spaces. */
export interface ViotOptions {
  /** At most 6 characters. */
  readonly oemId?: string;
  /** At most 8 characters. */
  readonly oemTableId?: string;
  readonly oemRevision?: number;
  /** At most 4 characters. */
  readonly creatorId?: string;
  readonly creatorRevision?: number;
}

/** `output_node` has 16 bits. */
const LAST_OUTPUT_NODE = 0xffff;
const LAST_NODE_COUNT = 0xffff;

/**
 * The whole table, from its signature on: IOMMU nodes first, then the ranges, both in the order of the topology.
 *
 * @throws ViotError when a guest would not read the topology as it was meant: `BDF`, `IOMMU`, `RANGE`, `ENDPOINT_ID`,
 * `OVERLAP`; `SIZE` when it has too many nodes, `OEM` when an option does not fit
 */
export function writeViot(topology: Topology, options: ViotOptions = {}): Uint8Array {
  checkTopology(topology);
  const { iommus, endpoints } = topology;
  const nodeCount = iommus.length + endpoints.length;
  if (nodeCount > LAST_NODE_COUNT || iommuOffset(iommus.length - 1) > LAST_OUTPUT_NODE) {
    throw new ViotError('SIZE', `${nodeCount} nodes do not fit a table: merge ranges`);
  }
  const rangesOffset = iommuOffset(iommus.length);
  const bytes = new Uint8Array(rangesOffset + endpoints.length * PCI_RANGE_SIZE);
  const table = new DataView(bytes.buffer);
  writeHeader(table, options);
  table.setUint16(VIOT_NODE_COUNT, nodeCount, true);
  table.setUint16(VIOT_NODE_OFFSET, VIOT_HEADER_SIZE, true);
  iommus.forEach((iommu, index) => {
    writeIommu(table, iommuOffset(index), iommu);
  });
  endpoints.forEach((range, index) => {
    writeRange(table, rangesOffset + index * PCI_RANGE_SIZE, range);
  });
  table.setUint8(HEADER_CHECKSUM, -byteSum(bytes));
  return bytes;
}

function iommuOffset(index: number): number {
  return VIOT_HEADER_SIZE + index * IOMMU_PCI_SIZE;
}

function writeHeader(table: DataView, options: ViotOptions): void {
  const { oemId = 'VIOMMU', oemTableId = 'VIOMMU', creatorId = 'VIOM' } = options;
  writeText(table, HEADER_SIGNATURE, VIOT_SIGNATURE.length, VIOT_SIGNATURE);
  table.setUint32(HEADER_LENGTH, table.byteLength, true);
  table.setUint8(HEADER_REVISION, VIOT_REVISION);
  writeText(table, HEADER_OEM_ID, HEADER_OEM_ID_LENGTH, oemId);
  writeText(table, HEADER_OEM_TABLE_ID, HEADER_OEM_TABLE_ID_LENGTH, oemTableId);
  table.setUint32(HEADER_OEM_REVISION, options.oemRevision ?? 1, true);
  writeText(table, HEADER_CREATOR_ID, HEADER_CREATOR_ID_LENGTH, creatorId);
  table.setUint32(HEADER_CREATOR_REVISION, options.creatorRevision ?? 1, true);
}

function writeIommu(table: DataView, offset: number, iommu: Iommu): void {
  table.setUint8(offset + NODE_TYPE, VIOT_NODE_VIRTIO_IOMMU_PCI);
  table.setUint16(offset + NODE_LENGTH, IOMMU_PCI_SIZE, true);
  table.setUint16(offset + IOMMU_PCI_SEGMENT, iommu.segment, true);
  table.setUint16(offset + IOMMU_PCI_BDF, iommu.bdf, true);
}

function writeRange(table: DataView, offset: number, range: EndpointRange): void {
  table.setUint8(offset + NODE_TYPE, VIOT_NODE_PCI_RANGE);
  table.setUint16(offset + NODE_LENGTH, PCI_RANGE_SIZE, true);
  table.setUint32(offset + PCI_RANGE_ENDPOINT_START, range.endpointStart, true);
  table.setUint16(offset + PCI_RANGE_SEGMENT_START, range.segmentStart, true);
  table.setUint16(offset + PCI_RANGE_SEGMENT_END, range.segmentEnd, true);
  table.setUint16(offset + PCI_RANGE_BDF_START, range.bdfStart, true);
  table.setUint16(offset + PCI_RANGE_BDF_END, range.bdfEnd, true);
  table.setUint16(offset + PCI_RANGE_OUTPUT_NODE, iommuOffset(range.iommu), true);
}

function writeText(table: DataView, offset: number, length: number, text: string): void {
  const isAscii = [...text].every((character) => character >= ' ' && character <= '~');
  if (text.length > length || !isAscii) {
    throw new ViotError('OEM', `'${text}': at most ${length} ASCII characters fit here`);
  }
  for (let index = 0; index < length; index++) {
    table.setUint8(offset + index, text.padEnd(length).charCodeAt(index));
  }
}
