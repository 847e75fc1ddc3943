/** What the standard properties of a device tree's nodes say. */
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';
import type { TreeNode } from './flattened-tree.ts';

/** A property as numbers of 32 bits; none when the node does not have it. */
export function cellsOf(node: TreeNode, name: string): number[] {
  const value = node.properties.get(name);
  if (value === undefined) return [];
  if (value.byteLength % 4 !== 0) {
    throw new ViotError('SYNTAX', `${name} of ${pathOf(node)} has no whole number of cells`);
  }
  return Array.from({ length: value.byteLength / 4 }, (_, index) => value.getUint32(4 * index));
}

/** A property as texts, each of which ends with a NUL. */
export function textsOf(node: TreeNode, name: string): string[] {
  const value = node.properties.get(name);
  if (value === undefined) return [];
  let text = '';
  for (let at = 0; at < value.byteLength; at++) text += String.fromCharCode(value.getUint8(at));
  return text.split('\0').slice(0, -1);
}

/** Without recursion: the depth of the nodes is up to whoever made the tree. */
export function pathOf(node: TreeNode): string {
  const names: string[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) names.push(at.name);
  return `/${names.reverse().join('/')}`;
}

/** The node and all below it, parents first; the callback can leave out a node with all that is below it. */
export function nodesBelow(root: TreeNode, isWanted: (node: TreeNode) => boolean): TreeNode[] {
  const nodes = [root];
  for (const node of nodes) {
    for (const child of node.children) if (isWanted(child)) nodes.push(child);
  }
  return nodes;
}

/** Whether the kernel makes a device of a node. */
export function isAvailable(node: TreeNode): boolean {
  const [status = 'okay'] = textsOf(node, 'status');
  return status === 'okay' || status === 'ok';
}

/** The host bridge that a node is, or is below. */
export function hostBridgeOf(node: TreeNode): TreeNode | undefined {
  let found: TreeNode | undefined;
  for (let at: TreeNode | undefined = node; at !== undefined; at = at.parent) {
    if (textsOf(at, 'device_type')[0] === 'pci') found = at;
  }
  return found;
}

/**
 * The address of a node's first registers, as the CPU sees it: through the `ranges` of all buses above.
 *
 * @returns undefined when it has none
 */
export function registersOf(node: TreeNode): number | undefined {
  if (node.parent === undefined) return undefined;
  const reg = cellsOf(node, 'reg');
  let address = numberOf(reg.slice(0, addressCells(node.parent)));
  if (reg.length < addressCells(node.parent)) return undefined;
  for (let bus = node.parent; bus.parent !== undefined; bus = bus.parent) {
    const above = throughRanges(bus, bus.parent, address);
    if (above === undefined) return undefined;
    address = above;
  }
  if (!Number.isSafeInteger(address)) {
    throw new ViotError('ADDRESS', `${pathOf(node)} is at ${hex(address)}: no address below 2^53`);
  }
  return address;
}

/** A bus without `ranges` cannot be reached from above; with empty ones addresses are the same above it. */
function throughRanges(bus: TreeNode, above: TreeNode, address: number): number | undefined {
  if (!bus.properties.has('ranges')) return undefined;
  const ranges = cellsOf(bus, 'ranges');
  if (ranges.length === 0) return address;
  const inside = addressCells(bus);
  const outside = inside + addressCells(above);
  const entry = outside + sizeCells(bus);
  for (let at = 0; entry > 0 && at + entry <= ranges.length; at += entry) {
    const start = numberOf(ranges.slice(at, at + inside));
    const size = numberOf(ranges.slice(at + outside, at + entry));
    if (address >= start && address - start < size) {
      return numberOf(ranges.slice(at + inside, at + outside)) + (address - start);
    }
  }
  return undefined;
}

function addressCells(bus: TreeNode): number {
  return cellsOf(bus, '#address-cells')[0] ?? 2;
}

function sizeCells(bus: TreeNode): number {
  return cellsOf(bus, '#size-cells')[0] ?? 1;
}

function numberOf(cells: readonly number[]): number {
  return cells.reduce((value, cell) => value * 2 ** 32 + cell, 0);
}
