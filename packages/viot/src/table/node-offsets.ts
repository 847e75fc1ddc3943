/** Where the nodes of a table will be. */
import { fromDigits } from './hex-digits.ts';
import { NODE_HEADER_SIZE, VIOT_HEADER_SIZE } from './layout.ts';
import { NODE_LAYOUTS } from './node-layout.ts';
import type { ViotNode, ViotTable } from './viot-table.ts';

/** Offsets of the nodes from the start of the table, in bytes; one more for what follows them. */
export function nodeOffsets({ gap = '', nodes }: ViotTable): number[] {
  const offsets = [VIOT_HEADER_SIZE + fromDigits(gap).length];
  for (const node of nodes) offsets.push(offsets.at(-1)! + nodeSize(node));
  return offsets;
}

/** Bytes of a node, what it has beyond its structure included. */
function nodeSize(node: ViotNode): number {
  if (node.type === 'unknown') return NODE_HEADER_SIZE - 1 + fromDigits(node.content).length;
  const { size, reserved } = NODE_LAYOUTS.find(({ type }) => type === node.type)!;
  const inside = reserved.reduce((sum, [, length]) => sum + length, 0);
  const given = node.reserved === undefined ? inside : fromDigits(node.reserved).length;
  return size + Math.max(0, given - inside);
}
