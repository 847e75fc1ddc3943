/** encodeViot: a table as bytes: the inverse of decodeViot. */
import { byteSum } from '../checksum.ts';
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';
import { checkOutputNodes } from './decode.ts';
import { fromDigits } from './hex-digits.ts';
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
import type { ViotHeader, ViotNode, ViotTable } from './viot-table.ts';

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
  encodeHeader(view, table.header);
  view.setUint16(VIOT_NODE_COUNT, table.nodes.length, true);
  view.setUint16(VIOT_NODE_OFFSET, offsets[0]!, true);
  bytes.set(reservedOf(table), VIOT_RESERVED);
  bytes.set(fromDigits(table.gap ?? ''), VIOT_HEADER_SIZE);
  table.nodes.forEach((node, index) => {
    encodeNode(bytes.subarray(offsets[index]!, offsets[index + 1]!), node);
  });
  bytes.set(trailing, end);
  view.setUint8(HEADER_CHECKSUM, -byteSum(bytes));
  return bytes;
}

function reservedOf({ reserved = '' }: ViotTable): Uint8Array {
  const bytes = fromDigits(reserved);
  if (bytes.length > VIOT_HEADER_SIZE - VIOT_RESERVED) {
    throw new ViotError('SYNTAX', `the header has 8 reserved bytes, not ${bytes.length}`);
  }
  return bytes;
}

function encodeHeader(view: DataView, header: ViotHeader): void {
  encodeText(view, HEADER_SIGNATURE, VIOT_SIGNATURE.length, VIOT_SIGNATURE);
  view.setUint32(HEADER_LENGTH, view.byteLength, true);
  view.setUint8(HEADER_REVISION, fitting('revision', header.revision, 1));
  encodeText(view, HEADER_OEM_ID, HEADER_OEM_ID_LENGTH, header.oemId);
  encodeText(view, HEADER_OEM_TABLE_ID, HEADER_OEM_TABLE_ID_LENGTH, header.oemTableId);
  view.setUint32(HEADER_OEM_REVISION, fitting('oemRevision', header.oemRevision, 4), true);
  encodeText(view, HEADER_CREATOR_ID, HEADER_CREATOR_ID_LENGTH, header.creatorId);
  const creatorRevision = fitting('creatorRevision', header.creatorRevision, 4);
  view.setUint32(HEADER_CREATOR_REVISION, creatorRevision, true);
}

/** Shorter texts are padded with spaces. */
function encodeText(view: DataView, offset: number, length: number, text: string): void {
  const padded = text.padEnd(length);
  const fits = padded.length === length && [...padded].every((sign) => sign.charCodeAt(0) <= 0xff);
  if (!fits) {
    throw new ViotError('OEM', `'${text}': at most ${length} characters of 8 bits fit here`);
  }
  for (let index = 0; index < length; index++) {
    view.setUint8(offset + index, padded.charCodeAt(index));
  }
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

/** @throws ViotError `SYNTAX`: the numbers of a table may come from JSON */
function fitting(name: string, value: number | undefined, size: number): number {
  const limit = size === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * size) - 1;
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > limit) {
    throw new ViotError('SYNTAX', `${name} is ${value}: write an integer from 0 to ${hex(limit)}`);
  }
  return value;
}
