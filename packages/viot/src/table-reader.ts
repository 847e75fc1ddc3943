/** Reads a topology from an ACPI VIOT table, by the rules that Linux follows, but naming what Linux passes over. */
import { byteSum } from './checksum.ts';
import {
  HEADER_LENGTH,
  HEADER_SIGNATURE,
  IOMMU_PCI_BDF,
  IOMMU_PCI_SEGMENT,
  IOMMU_PCI_SIZE,
  NODE_HEADER_SIZE,
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
  VIOT_NODE_VIRTIO_IOMMU_MMIO,
  VIOT_NODE_VIRTIO_IOMMU_PCI,
  VIOT_SIGNATURE,
} from './table-layout.ts';
import type { EndpointRange, Iommu, Topology } from './topology.ts';
import { ViotError } from './viot-error.ts';

/**
 * The topology of a whole table, from its signature on. Nodes of other kinds than PCI IOMMUs and PCI ranges are passed
 * over, and so are ranges behind such an IOMMU. Ranges keep their order: where they overlap, the later one counts.
 *
 * @throws ViotError `SIGNATURE`, `LENGTH`, `CHECKSUM`, `NODE_BOUNDS`, `OUTPUT_NODE`
 */
export function readViot(bytes: Uint8Array): Topology {
  return new TableReader(tableOf(bytes)).read();
}

/** The table as its header bounds it. */
function tableOf(bytes: Uint8Array): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < VIOT_HEADER_SIZE) {
    throw new ViotError('LENGTH', `${bytes.length} bytes: a VIOT has at least ${VIOT_HEADER_SIZE}`);
  }
  const signature = String.fromCharCode(...bytes.subarray(HEADER_SIGNATURE, HEADER_LENGTH));
  if (signature !== VIOT_SIGNATURE) {
    throw new ViotError('SIGNATURE', `the table is a ${JSON.stringify(signature)}, no VIOT`);
  }
  const length = view.getUint32(HEADER_LENGTH, true);
  if (length < VIOT_HEADER_SIZE || length > bytes.length) {
    throw new ViotError('LENGTH', `the table says ${length} bytes, ${bytes.length} were given`);
  }
  const sum = byteSum(bytes.subarray(0, length));
  if (sum !== 0) {
    throw new ViotError('CHECKSUM', `the table is damaged: its bytes sum up to ${sum}, not 0`);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

class TableReader {
  readonly #table: DataView;
  readonly #firstNode: number;
  readonly #iommus: Iommu[] = [];
  readonly #endpoints: EndpointRange[] = [];
  /** By node offset, index into the topology's IOMMUs. */
  readonly #iommuIndexes = new Map<number, number>();

  constructor(table: DataView) {
    this.#table = table;
    this.#firstNode = table.getUint16(VIOT_NODE_OFFSET, true);
  }

  read(): Topology {
    if (this.#firstNode < VIOT_HEADER_SIZE) {
      throw new ViotError('NODE_BOUNDS', `the first node, at ${this.#firstNode}, is in the header`);
    }
    const nodeCount = this.#table.getUint16(VIOT_NODE_COUNT, true);
    let offset = this.#firstNode;
    for (let node = 0; node < nodeCount; node++) {
      this.#checkNode(offset, NODE_HEADER_SIZE);
      const type = this.#table.getUint8(offset + NODE_TYPE);
      if (type === VIOT_NODE_VIRTIO_IOMMU_PCI) this.#iommuIndex(offset);
      else if (type === VIOT_NODE_PCI_RANGE) this.#readRange(offset);
      offset += this.#table.getUint16(offset + NODE_LENGTH, true);
    }
    return { iommus: this.#iommus, endpoints: this.#endpoints };
  }

  #readRange(offset: number): void {
    this.#checkNode(offset, PCI_RANGE_SIZE);
    const table = this.#table;
    const iommu = this.#outputNode(offset, table.getUint16(offset + PCI_RANGE_OUTPUT_NODE, true));
    if (iommu === undefined) return;
    this.#endpoints.push({
      kind: 'pci',
      segmentStart: table.getUint16(offset + PCI_RANGE_SEGMENT_START, true),
      segmentEnd: table.getUint16(offset + PCI_RANGE_SEGMENT_END, true),
      bdfStart: table.getUint16(offset + PCI_RANGE_BDF_START, true),
      bdfEnd: table.getUint16(offset + PCI_RANGE_BDF_END, true),
      endpointStart: table.getUint32(offset + PCI_RANGE_ENDPOINT_START, true),
      iommu,
    });
  }

  /** @returns undefined for an IOMMU that the topology has no word for yet */
  #outputNode(rangeOffset: number, iommuOffset: number): number | undefined {
    this.#checkNode(iommuOffset, NODE_HEADER_SIZE);
    const type = this.#table.getUint8(iommuOffset + NODE_TYPE);
    if (type === VIOT_NODE_VIRTIO_IOMMU_PCI) return this.#iommuIndex(iommuOffset);
    if (type === VIOT_NODE_VIRTIO_IOMMU_MMIO) return undefined;
    throw new ViotError(
      'OUTPUT_NODE',
      `the range at ${rangeOffset} has its IOMMU at ${iommuOffset}, where a node of type ${type} is`,
    );
  }

  #iommuIndex(offset: number): number {
    const known = this.#iommuIndexes.get(offset);
    if (known !== undefined) return known;
    this.#checkNode(offset, IOMMU_PCI_SIZE);
    this.#iommuIndexes.set(offset, this.#iommus.length);
    return (
      this.#iommus.push({
        kind: 'pci',
        segment: this.#table.getUint16(offset + IOMMU_PCI_SEGMENT, true),
        bdf: this.#table.getUint16(offset + IOMMU_PCI_BDF, true),
      }) - 1
    );
  }

  /** A node lies between the first node and the end of the table, and is at least `size` bytes long. */
  #checkNode(offset: number, size: number): void {
    const room = this.#table.byteLength - offset;
    const fits = offset >= this.#firstNode && room >= NODE_HEADER_SIZE;
    const length = fits ? this.#table.getUint16(offset + NODE_LENGTH, true) : 0;
    if (length < size || length > room) {
      throw new ViotError(
        'NODE_BOUNDS',
        `the node at ${offset} does not fit: ${size} bytes needed, the table has ${this.#table.byteLength}`,
      );
    }
  }
}
