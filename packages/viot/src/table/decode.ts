/** decodeViot: the bytes of a VIOT as plain data, every rule of the table checked. */
import { readAddress } from '../address-field.ts';
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';
import { openTable } from './acpi-header.ts';
import { toDigits } from './hex-digits.ts';
import {
  HEADER_CREATOR_ID,
  HEADER_CREATOR_ID_LENGTH,
  HEADER_CREATOR_REVISION,
  HEADER_OEM_ID,
  HEADER_OEM_ID_LENGTH,
  HEADER_OEM_REVISION,
  HEADER_OEM_TABLE_ID,
  HEADER_OEM_TABLE_ID_LENGTH,
  HEADER_REVISION,
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

/**
 * A whole table, from its signature on; bytes behind its length are left alone.
 *
 * @throws ViotError, with the offset: `SIGNATURE`, `LENGTH`, `CHECKSUM`, `NODE_BOUNDS`, `OUTPUT_NODE`, `RANGE`, `ADDRESS`
 */
export function decodeViot(bytes: Uint8Array): ViotTable {
  const view = openTable(bytes, VIOT_SIGNATURE, VIOT_HEADER_SIZE);
  const firstNode = view.getUint16(VIOT_NODE_OFFSET, true);
  if (firstNode < VIOT_HEADER_SIZE || firstNode > view.byteLength) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the first node is said to be at ${firstNode}: nodes lie behind the header of ${VIOT_HEADER_SIZE} bytes, within the ${view.byteLength} of the table`,
      VIOT_NODE_OFFSET,
    );
  }
  const nodes: ViotNode[] = [];
  let offset = firstNode;
  for (let left = view.getUint16(VIOT_NODE_COUNT, true); left > 0; left -= 1) {
    const length = nodeLength(view, offset);
    nodes.push(decodeNode(view, offset, length));
    offset += length;
  }
  const table: ViotTable = {
    header: decodeHeader(view),
    ...digitsUnlessZero('reserved', part(view, VIOT_RESERVED, VIOT_HEADER_SIZE)),
    ...digits('gap', part(view, VIOT_HEADER_SIZE, firstNode)),
    nodes,
    ...digits('trailing', part(view, offset, view.byteLength)),
  };
  checkOutputNodes(table);
  return table;
}

/** "output_node" is the offset of an IOMMU node of the same table. Used when encoding, too. */
export function checkOutputNodes(table: ViotTable): void {
  const offsets = nodeOffsets(table);
  table.nodes.forEach((node, index) => {
    if (!('outputNode' in node)) return;
    const output = table.nodes[offsets.indexOf(node.outputNode)];
    if (output?.type === 'virtio-iommu-pci' || output?.type === 'virtio-iommu-mmio') return;
    throw new ViotError(
      'OUTPUT_NODE',
      `the node at ${offsets[index]} has its IOMMU at ${node.outputNode}, where ${output === undefined ? 'no node begins' : `a node ${output.type} is`}`,
      offsets[index],
    );
  });
}

function decodeHeader(view: DataView): ViotHeader {
  return {
    revision: view.getUint8(HEADER_REVISION),
    oemId: text(view, HEADER_OEM_ID, HEADER_OEM_ID_LENGTH),
    oemTableId: text(view, HEADER_OEM_TABLE_ID, HEADER_OEM_TABLE_ID_LENGTH),
    oemRevision: view.getUint32(HEADER_OEM_REVISION, true),
    creatorId: text(view, HEADER_CREATOR_ID, HEADER_CREATOR_ID_LENGTH),
    creatorRevision: view.getUint32(HEADER_CREATOR_REVISION, true),
  };
}

function nodeLength(view: DataView, offset: number): number {
  const room = view.byteLength - offset;
  const length = room < NODE_HEADER_SIZE ? room : view.getUint16(offset + NODE_LENGTH, true);
  if (room < NODE_HEADER_SIZE || length < NODE_HEADER_SIZE || length > room) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the node at ${offset} does not fit: ${length} bytes, and the table has ${Math.max(room, 0)} from there on`,
      offset,
    );
  }
  return length;
}

function decodeNode(view: DataView, offset: number, length: number): ViotNode {
  const nodeType = view.getUint8(offset + NODE_TYPE);
  const layout = NODE_LAYOUTS.find((candidate) => candidate.nodeType === nodeType);
  if (layout === undefined) {
    const header = part(view, offset + NODE_RESERVED, offset + NODE_LENGTH);
    const body = part(view, offset + NODE_HEADER_SIZE, offset + length);
    return { type: 'unknown', nodeType, content: toDigits(header) + toDigits(body) };
  }
  if (length < layout.size) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the node at ${offset} has ${length} bytes, a ${layout.type} has ${layout.size}`,
      offset,
    );
  }
  const node: Record<string, unknown> = { type: layout.type };
  for (const [name, at, size] of layout.fields) node[name] = field(view, offset + at, size);
  if (layout.type === 'pci-range') checkRange(node, offset);
  return { ...node, ...restOf(view, offset, length, layout) } as unknown as ViotNode;
}

function field(view: DataView, at: number, size: 2 | 4 | 8): number {
  if (size === 2) return view.getUint16(at, true);
  if (size === 4) return view.getUint32(at, true);
  return readAddress(view, at);
}

function checkRange(node: Record<string, unknown>, offset: number): void {
  const [segmentStart, segmentEnd, bdfStart, bdfEnd] = [
    ...[node.segmentStart, node.segmentEnd, node.bdfStart, node.bdfEnd],
  ].map(Number) as [number, number, number, number];
  if (segmentEnd < segmentStart || bdfEnd < bdfStart) {
    throw new ViotError(
      'RANGE',
      `the range at ${offset} ends before it starts: segments ${segmentStart} to ${segmentEnd}, BDFs ${hex(bdfStart)} to ${hex(bdfEnd)}`,
      offset,
    );
  }
}

function restOf(
  view: DataView,
  offset: number,
  length: number,
  { reserved, size }: NodeLayout,
): { reserved?: string } {
  const spans = reserved.map(([at, bytes]) => part(view, offset + at, offset + at + bytes));
  spans.push(part(view, offset + size, offset + length));
  const isPlain = length === size && spans.every((span) => span.every((byte) => byte === 0));
  return isPlain ? {} : { reserved: spans.map(toDigits).join('') };
}

function part(view: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start);
}

function digits(name: string, bytes: Uint8Array): Record<string, string> {
  return bytes.length === 0 ? {} : { [name]: toDigits(bytes) };
}

function digitsUnlessZero(name: string, bytes: Uint8Array): Record<string, string> {
  return bytes.every((byte) => byte === 0) ? {} : digits(name, bytes);
}

function text(view: DataView, offset: number, length: number): string {
  return String.fromCharCode(...part(view, offset, offset + length));
}
