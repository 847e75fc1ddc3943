/** Walks a table as Linux does: leniently, and stopping where Linux stops. */
import {
  NODE_HEADER_SIZE,
  NODE_LENGTH,
  NODE_TYPE,
  VIOT_HEADER_SIZE,
  VIOT_NODE_COUNT,
  VIOT_NODE_OFFSET,
} from './layout.ts';
import { NODE_LAYOUTS, type NodeLayout } from './node-layout.ts';

/** A node that Linux looks at. */
export interface WalkedNode {
  readonly offset: number;
  readonly nodeType: number;
  readonly length: number;
  /** undefined for a type that Linux does not know. */
  readonly layout: NodeLayout | undefined;
}

export interface KnownNode extends WalkedNode {
  readonly layout: NodeLayout;
}

interface WalkStop {
  readonly code: 'STOPPED' | 'TRUNCATED';
  readonly offset: number;
  readonly reason: string;
}

export interface LinuxWalk {
  readonly nodes: readonly WalkedNode[];
  /** Where Linux stops before it has seen all nodes, or leaves the table, and why. */
  readonly stop: WalkStop | undefined;
  /** What the table says there are. */
  readonly nodeCount: number;
  /** Behind the last node. */
  readonly end: number;
}

/** Only the four bytes of a node's header must lie in the table, and an endpoint must have all of its structure's length. */
export function walkAsLinux(view: DataView): LinuxWalk {
  const nodeCount = view.getUint16(VIOT_NODE_COUNT, true);
  const nodes: WalkedNode[] = [];
  let offset = view.getUint16(VIOT_NODE_OFFSET, true);
  for (let index = 0; index < nodeCount; index++) {
    const stop = stopAt(view, offset);
    if (stop !== undefined) return { nodes, stop, nodeCount, end: offset };
    const node = nodeAt(view, offset);
    nodes.push(node);
    offset += node.length;
  }
  return { nodes, stop: undefined, nodeCount, end: offset };
}

/** The node that an endpoint's output_node leads to, when Linux takes it for an IOMMU. */
export function iommuNodeAt(view: DataView, offset: number): KnownNode | undefined {
  if (whyNoNode(view, offset) !== undefined) return undefined;
  const node = nodeAt(view, offset);
  if (!isKnown(node) || !isIommu(node) || node.length < node.layout.size) return undefined;
  // Beyond the table's end Linux would read other memory; no table means that.
  return offset + node.layout.size <= view.byteLength ? node : undefined;
}

export function isKnown(node: WalkedNode): node is KnownNode {
  return node.layout !== undefined;
}

export function isIommu({ layout }: KnownNode): boolean {
  return layout.type === 'virtio-iommu-pci' || layout.type === 'virtio-iommu-mmio';
}

function stopAt(view: DataView, offset: number): WalkStop | undefined {
  const reason = whyNoNode(view, offset);
  if (reason !== undefined) return { code: 'STOPPED', offset, reason };
  const node = nodeAt(view, offset);
  if (!isKnown(node) || isIommu(node)) return undefined;
  const { layout, length } = node;
  if (length < layout.size) {
    const short = `a ${layout.type} has ${layout.size} bytes, this one ${length}`;
    return { code: 'STOPPED', offset, reason: short };
  }
  if (offset + layout.size <= view.byteLength) return undefined;
  return { code: 'TRUNCATED', offset, reason: `the table ends inside this ${layout.type}` };
}

function whyNoNode(view: DataView, offset: number): string | undefined {
  const first = Math.max(VIOT_HEADER_SIZE, view.getUint16(VIOT_NODE_OFFSET, true));
  if (offset < first) return `nodes begin at ${first}`;
  if (offset + NODE_HEADER_SIZE > view.byteLength) return `the table ends at ${view.byteLength}`;
  const length = view.getUint16(offset + NODE_LENGTH, true);
  return length < NODE_HEADER_SIZE ? `its length is ${length}` : undefined;
}

function nodeAt(view: DataView, offset: number): WalkedNode {
  const nodeType = view.getUint8(offset + NODE_TYPE);
  return {
    offset,
    nodeType,
    length: view.getUint16(offset + NODE_LENGTH, true),
    layout: NODE_LAYOUTS.find((layout) => layout.nodeType === nodeType),
  };
}
