/** Between the topology and its VIOT: which nodes say what, and what nodes mean. */
import type { EndpointRange, Iommu, Topology } from '../topology.ts';
import { checkTopology, checkVirtio } from '../topology-check.ts';
import { ViotError } from '../viot-error.ts';
import { decodeViot } from './decode.ts';
import { encodeViot } from './encode.ts';
import { IOMMU_PCI_SIZE, VIOT_HEADER_SIZE, VIOT_REVISION } from './layout.ts';
import { nodeOffsets } from './node-offsets.ts';
import type { ViotNode, ViotTable } from './viot-table.ts';

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

/**
 * The whole table, from its signature on: IOMMU nodes first, then the endpoints, both in the order of the topology.
 *
 * @throws ViotError when a guest would not read the topology as it was meant: `BDF`, `ADDRESS`, `IOMMU`, `RANGE`,
 * `ENDPOINT_ID`, `OVERLAP`; `SIZE` when it has too many nodes, `OEM` when an option does not fit
 */
export function writeViot(topology: Topology, options: ViotOptions = {}): Uint8Array {
  return encodeViot(topologyTable(topology, options));
}

/**
 * The topology of a whole table, from its signature on. Endpoints keep their order: where they overlap, the later one
 * counts. Nodes of unknown types are passed over.
 *
 * @throws ViotError as {@link decodeViot} does
 */
export function readViot(bytes: Uint8Array): Topology {
  return tableTopology(decodeViot(bytes));
}

/** @throws ViotError as {@link writeViot} does */
export function topologyTable(topology: Topology, options: ViotOptions = {}): ViotTable {
  checkTopology(topology);
  checkVirtio(topology.iommus, 'the VIOT');
  const { iommus, endpoints } = topology;
  // Both kinds of IOMMU nodes have the same size.
  const offsetOf = (index: number): number => VIOT_HEADER_SIZE + index * IOMMU_PCI_SIZE;
  if (offsetOf(iommus.length - 1) > LAST_OUTPUT_NODE) {
    throw new ViotError('SIZE', `${iommus.length} IOMMUs do not fit a table`);
  }
  const { oemId = 'VIOMMU', oemTableId = 'VIOMMU', creatorId = 'VIOM' } = options;
  for (const text of [oemId, oemTableId, creatorId]) checkAscii(text);
  return {
    header: {
      revision: VIOT_REVISION,
      oemId,
      oemTableId,
      oemRevision: options.oemRevision ?? 1,
      creatorId,
      creatorRevision: options.creatorRevision ?? 1,
    },
    nodes: [
      ...iommus.map(iommuNode),
      ...endpoints.map((range) => endpointNode(range, offsetOf(range.iommu))),
    ],
  };
}

/** What the nodes of a table say. */
export function tableTopology(table: ViotTable): Topology {
  const offsets = nodeOffsets(table);
  const iommus: Iommu[] = [];
  /** By the offset of its node, index into `iommus`. */
  const indexes = new Map<number, number>();
  table.nodes.forEach((node, index) => {
    if (node.type !== 'virtio-iommu-pci' && node.type !== 'virtio-iommu-mmio') return;
    indexes.set(offsets[index]!, iommus.length);
    iommus.push(
      node.type === 'virtio-iommu-pci'
        ? { kind: 'pci', segment: node.segment, bdf: node.bdf }
        : { kind: 'mmio', base: node.base },
    );
  });
  const endpoints = table.nodes.flatMap((node): EndpointRange[] => {
    switch (node.type) {
      case 'pci-range': {
        const { type, reserved, outputNode, ...range } = node;
        return [{ kind: 'pci', ...range, iommu: indexes.get(outputNode)! }];
      }
      case 'mmio-endpoint': {
        const { base, endpoint, outputNode } = node;
        return [{ kind: 'mmio', base, endpoint, iommu: indexes.get(outputNode)! }];
      }
      default:
        return [];
    }
  });
  return { iommus, endpoints };
}

function iommuNode(iommu: Iommu): ViotNode {
  return iommu.kind === 'pci'
    ? { type: 'virtio-iommu-pci', segment: iommu.segment, bdf: iommu.bdf }
    : { type: 'virtio-iommu-mmio', base: iommu.base };
}

function endpointNode(range: EndpointRange, outputNode: number): ViotNode {
  if (range.kind === 'mmio') {
    return { type: 'mmio-endpoint', endpoint: range.endpoint, base: range.base, outputNode };
  }
  const { kind, iommu, ...bounds } = range;
  return { type: 'pci-range', ...bounds, outputNode };
}

function checkAscii(text: string): void {
  if (/^[ -~]*$/.test(text)) return;
  throw new ViotError('OEM', `'${text}': write printable ASCII characters`);
}
