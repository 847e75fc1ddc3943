/** encodeViot: a table as bytes: the inverse of decodeViot. */
import { ViotError } from '../viot-error.ts';
import { checkOutputNodes } from './decode.ts';
import { encodeHeader, fitting, seal } from './encode-header.ts';
import { fromDigits } from './hex-digits.ts';
import {
  NODE_HEADER_SIZE,
  NODE_LENGTH,
  NODE_RESERVED,
  NODE_TYPE,
  VIOT_HEADER_SIZE,
  VIOT_NODE_COUNT,
  VIOT_NODE_OFFSET,
  VIOT_RESERVED,
  VIOT_SIGNATURE,
} from './layout.ts';
import { NODE_LAYOUTS, type NodeLayout } from './node-layout.ts';
import { nodeOffsets } from './node-offsets.ts';
import type { ViotNode, ViotTable } from './viot-table.ts';

const LARGEST_UINT16 = 0xffff;

/**
 * @throws ViotError `OUTPUT_NODE`; `SIZE` when there are too many nodes or one is too long, `OEM` when a text of the header
 * does not fit, `SYNTAX` when digits are no bytes or a number does not fit its field
 */
export function encodeViot(table: ViotTable): Uint8Array {
  checkOutputNodes(table);
  const offsets = nodeOffsets(table);
  const trailing = fromDigits(table.trailing ?? '');
  const end = offsets.at(-1)!;
  if (table.nodes.length > LARGEST_UINT16 || offsets[0]! > LARGEST_UINT16) {
    throw new ViotError('SIZE', `${table.nodes.length} nodes do not fit a table: merge ranges`);
  }
  const bytes = new Uint8Array(end + trailing.length);
  const view = new DataView(bytes.buffer);
  encodeHeader(view, VIOT_SIGNATURE, table.header);
  view.setUint16(VIOT_NODE_COUNT, table.nodes.length, true);
  view.setUint16(VIOT_NODE_OFFSET, offsets[0]!, true);
  bytes.set(reservedOf(table), VIOT_RESERVED);
  bytes.set(fromDigits(table.gap ?? ''), VIOT_HEADER_SIZE);
  table.nodes.forEach((node, index) => {
    encodeNode(bytes.subarray(offsets[index]!, offsets[index + 1]!), node);
  });
  bytes.set(trailing, end);
  return seal(bytes);
}

function reservedOf({ reserved = '' }: ViotTable): Uint8Array {
  const bytes = fromDigits(reserved);
  if (bytes.length > VIOT_HEADER_SIZE - VIOT_RESERVED) {
    throw new ViotError('SYNTAX', `the header has 8 reserved bytes, not ${bytes.length}`);
  }
  return bytes;
}

function encodeNode(bytes: Uint8Array, node: ViotNode): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length > LARGEST_UINT16) {
    throw new ViotError('SIZE', `a node of ${bytes.length} bytes: at most ${LARGEST_UINT16} fit`);
  }
  view.setUint16(NODE_LENGTH, bytes.length, true);
  if (node.type === 'unknown') {
    const content = fromDigits(node.content);
    view.setUint8(NODE_TYPE, fitting('nodeType', node.nodeType, 1));
    bytes.set(content.subarray(0, 1), NODE_RESERVED);
    bytes.set(content.subarray(1), NODE_HEADER_SIZE);
    return;
  }
  const layout = NODE_LAYOUTS.find(({ type }) => type === node.type)!;
  view.setUint8(NODE_TYPE, layout.nodeType);
  encodeReserved(bytes, layout, node.reserved);
  const values = node as unknown as Record<string, number>;
  for (const [name, at, size] of layout.fields) {
    const value = fitting(name, values[name], size);
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
}

function encodeReserved(bytes: Uint8Array, layout: NodeLayout, digits = ''): void {
  const given = fromDigits(digits);
  let taken = 0;
  for (const [at, length] of [...layout.reserved, [layout.size, bytes.length - layout.size]]) {
    bytes.set(given.subarray(taken, taken + length!), at!);
    taken += length!;
  }
}
