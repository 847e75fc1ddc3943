/** readDeviceTree: the topology that a flattened device tree describes. */
import type { EndpointRange, Iommu, Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import { readFlattenedTree, type TreeNode } from './flattened-tree.ts';
import { mappedFunctions } from './iommu-map.ts';
import {
  cellsOf,
  hostBridgeOf,
  isAvailable,
  nodesBelow,
  pathOf,
  registersOf,
  textsOf,
} from './tree-node.ts';

const LAST_SEGMENT = 0xffff;

/** What endpoints refer to. */
interface Tree {
  readonly segments: ReadonlyMap<TreeNode, number>;
  readonly byPhandle: ReadonlyMap<number, TreeNode>;
  /** Index into the topology's IOMMUs. */
  readonly indexes: ReadonlyMap<TreeNode, number>;
}

/**
 * Virtio-iommus, and what is behind them by `iommu-map` or `iommus`. What is behind other IOMMUs is passed over, and so are
 * nodes that are disabled, and devices without registers.
 *
 * @param dtb flattened, as `dtc` writes it and a kernel gets it
 * @throws ViotError `SIGNATURE`, `LENGTH`, `SYNTAX`; `IOMMU` when a phandle leads nowhere, `BDF` when there are too many
 * segments, `ADDRESS` when an address is not below 2^53
 */
export function readDeviceTree(dtb: Uint8Array): Topology {
  const root = readFlattenedTree(dtb);
  const nodes = nodesBelow(root, isAvailable);
  const bridges = nodes.filter((node) => hostBridgeOf(node) === node);
  const segments = segmentsOf(bridges);
  const iommuNodes = nodes.filter(isVirtioIommu);
  const tree: Tree = {
    segments,
    byPhandle: nodesByPhandle(root),
    indexes: new Map(iommuNodes.map((node, index) => [node, index])),
  };
  return {
    iommus: iommuNodes.map((node) => iommuOf(node, segments)),
    endpoints: [
      ...bridges.flatMap((bridge) => functionsBehind(bridge, tree)),
      ...nodes.filter((node) => !hostBridgeOf(node)).flatMap((node) => deviceBehind(node, tree)),
    ],
  };
}

/** By `linux,pci-domain`; bridges without it get the numbers that are left, as they come. */
function segmentsOf(bridges: readonly TreeNode[]): Map<TreeNode, number> {
  const given = bridges.map((bridge) => cellsOf(bridge, 'linux,pci-domain')[0]);
  const taken = new Set(given);
  let next = 0;
  return new Map(
    bridges.map((bridge, index) => {
      while (given[index] === undefined && taken.has(next)) next += 1;
      const segment = given[index] ?? next++;
      if (segment > LAST_SEGMENT) {
        throw new ViotError(
          'BDF',
          `${pathOf(bridge)} is segment ${segment}: segments have 16 bits`,
        );
      }
      return [bridge, segment];
    }),
  );
}

function isVirtioIommu(node: TreeNode): boolean {
  const compatible = textsOf(node, 'compatible');
  if (compatible.includes('virtio,mmio')) return node.properties.has('#iommu-cells');
  return compatible.includes('virtio,pci-iommu') || compatible.includes('pci1af4,1057');
}

function iommuOf(node: TreeNode, segments: ReadonlyMap<TreeNode, number>): Iommu {
  const segment = segments.get(hostBridgeOf(node) ?? node);
  if (segment !== undefined) {
    const [address] = cellsOf(node, 'reg');
    if (address === undefined) throw new ViotError('SYNTAX', `${pathOf(node)} has no reg`);
    return { kind: 'pci', segment, bdf: (address >>> 8) & 0xffff };
  }
  const base = registersOf(node);
  if (base === undefined) throw new ViotError('SYNTAX', `${pathOf(node)} has no registers`);
  return { kind: 'mmio', base };
}

function functionsBehind(bridge: TreeNode, tree: Tree): EndpointRange[] {
  const segment = tree.segments.get(bridge)!;
  return mappedFunctions(bridge).flatMap(({ phandle, ...functions }): EndpointRange[] => {
    const iommu = tree.indexes.get(nodeAt(phandle, bridge, tree));
    if (iommu === undefined) return [];
    return [{ kind: 'pci', segmentStart: segment, segmentEnd: segment, ...functions, iommu }];
  });
}

/** Each entry of `iommus` is a phandle and as many cells as its node says. */
function deviceBehind(node: TreeNode, tree: Tree): EndpointRange[] {
  const cells = cellsOf(node, 'iommus');
  const endpoints: EndpointRange[] = [];
  let at = 0;
  while (at < cells.length) {
    const target = nodeAt(cells[at]!, node, tree);
    const [length = 0] = cellsOf(target, '#iommu-cells');
    const endpoint = cells[at + 1];
    const iommu = tree.indexes.get(target);
    at += 1 + length;
    if (iommu === undefined) continue;
    if (length !== 1 || endpoint === undefined) {
      throw new ViotError(
        'SYNTAX',
        `iommus of ${pathOf(node)}: one cell follows ${pathOf(target)}`,
      );
    }
    const base = registersOf(node);
    if (base !== undefined) endpoints.push({ kind: 'mmio', base, endpoint, iommu });
  }
  if (endpoints.length > 1) {
    throw new ViotError('SYNTAX', `${pathOf(node)} is behind virtio-iommus more than once`);
  }
  return endpoints;
}

function nodeAt(phandle: number, from: TreeNode, { byPhandle }: Tree): TreeNode {
  const node = byPhandle.get(phandle);
  if (node !== undefined) return node;
  throw new ViotError('IOMMU', `${pathOf(from)} refers to phandle ${phandle}, which no node has`);
}

function nodesByPhandle(root: TreeNode): Map<number, TreeNode> {
  const nodes = new Map<number, TreeNode>();
  for (const node of nodesBelow(root, () => true)) {
    const [phandle] = [...cellsOf(node, 'phandle'), ...cellsOf(node, 'linux,phandle')];
    if (phandle !== undefined) nodes.set(phandle, node);
  }
  return nodes;
}
