/** The topology that Linux makes of the nodes it has walked: each IOMMU is looked up by the output_node of its endpoints. */
import type { Devices } from '../describe.ts';
import type { EndpointRange, Iommu, Topology } from '../topology.ts';
import type { TopologyOffsets } from './finding.ts';
import { iommuNodeAt, isIommu, isKnown, type KnownNode, type WalkedNode } from './linux-walk.ts';

/** In the place of an index, for a range of which only the devices are looked at. */
const NO_IOMMU = -1;

/** Numbers of a node, by their names in the layout. */
type Fields = Readonly<Record<string, number>>;

/** An endpoint node that Linux drops. */
interface DroppedEndpoint {
  readonly offset: number;
  readonly devices: Devices;
  /** Where the IOMMU should be. */
  readonly outputNode: number;
}

export interface LinuxTopology {
  readonly topology: Topology;
  readonly offsets: TopologyOffsets;
  readonly dropped: readonly DroppedEndpoint[];
}

export function linuxTopology(view: DataView, nodes: readonly WalkedNode[]): LinuxTopology {
  const iommus = new Map<number, Iommu>();
  const endpoints = new Map<number, EndpointRange>();
  const dropped: DroppedEndpoint[] = [];
  /** By the offset of its node, index into the topology's IOMMUs. */
  const indexes = new Map<number, number>();
  const indexAt = (offset: number): number | undefined => {
    const node = indexes.has(offset) ? undefined : iommuNodeAt(view, offset);
    if (node !== undefined) {
      indexes.set(offset, iommus.size);
      iommus.set(offset, iommuOf(view, node));
    }
    return indexes.get(offset);
  };
  for (const node of nodes) {
    const { offset } = node;
    if (!isKnown(node)) continue;
    if (isIommu(node)) {
      indexAt(offset);
      continue;
    }
    const values = fieldsOf(view, node);
    const outputNode = values.outputNode!;
    const iommu = indexAt(outputNode);
    if (iommu !== undefined) endpoints.set(offset, rangeOf(node, values, iommu));
    else dropped.push({ offset, devices: rangeOf(node, values, NO_IOMMU), outputNode });
  }
  return {
    topology: { iommus: [...iommus.values()], endpoints: [...endpoints.values()] },
    offsets: { iommus: [...iommus.keys()], endpoints: [...endpoints.keys()] },
    dropped,
  };
}

function iommuOf(view: DataView, node: KnownNode): Iommu {
  const { segment, bdf, base } = fieldsOf(view, node);
  return node.layout.type === 'virtio-iommu-pci'
    ? { kind: 'pci', segment: segment!, bdf: bdf! }
    : { kind: 'mmio', base: base! };
}

function rangeOf(node: KnownNode, values: Fields, iommu: number): EndpointRange {
  if (node.layout.type === 'mmio-endpoint') {
    return { kind: 'mmio', base: values.base!, endpoint: values.endpoint!, iommu };
  }
  return {
    kind: 'pci',
    segmentStart: values.segmentStart!,
    segmentEnd: values.segmentEnd!,
    bdfStart: values.bdfStart!,
    bdfEnd: values.bdfEnd!,
    endpointStart: values.endpointStart!,
    iommu,
  };
}

/** Numbers of 64 bits as near as a number comes; nothing is done with them but to compare and show them. */
function fieldsOf(view: DataView, { offset, layout }: KnownNode): Fields {
  const values: Record<string, number> = {};
  for (const [name, at, size] of layout.fields) {
    if (size === 2) values[name] = view.getUint16(offset + at, true);
    else if (size === 4) values[name] = view.getUint32(offset + at, true);
    else values[name] = Number(view.getBigUint64(offset + at, true));
  }
  return values;
}
