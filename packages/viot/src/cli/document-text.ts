/** A document for people: header and nodes of a table, IOMMUs and endpoint ranges of a topology. */
import { describeIommu, describeRange, hex } from '../describe.ts';
import { encodeViot } from '../table/encode.ts';
import { nodeOffsets } from '../table/node-offsets.ts';
import type { ViotNode, ViotTable } from '../table/viot-table.ts';
import type { EndpointRange } from '../topology.ts';
import type { Document, TopologyDocument } from './document.ts';
import { printable } from './printable.ts';
import { count, textTable } from './text-table.ts';

export function documentText(document: Document): string {
  return document.form === 'table' ? tableText(document.table) : topologyText(document);
}

function tableText(table: ViotTable): string {
  const { revision, oemId, oemTableId, oemRevision, creatorId, creatorRevision } = table.header;
  const offsets = nodeOffsets(table);
  const extra = [
    ...(table.reserved === undefined ? [] : [`reserved  ${table.reserved}\n`]),
    ...(table.gap === undefined ? [] : [`before the nodes  ${table.gap}\n`]),
    ...(table.trailing === undefined ? [] : [`behind the nodes  ${table.trailing}\n`]),
  ];
  const nodes = textTable(
    ['offset', 'node', 'devices', 'endpoint IDs', 'IOMMU at'],
    table.nodes.map((node, index) => [hex(offsets[index]!), node.type, ...nodeCells(node)]),
  );
  return `VIOT, revision ${revision}, ${encodeViot(table).length} bytes, ${count(table.nodes, 'node')}
OEM      ${quoted(oemId)} ${quoted(oemTableId)}, revision ${hex(oemRevision)}
creator  ${quoted(creatorId)}, revision ${hex(creatorRevision)}
${extra.join('')}
${nodes}`;
}

function nodeCells(node: ViotNode): string[] {
  switch (node.type) {
    case 'pci-range':
      return [...rangeCells({ ...node, kind: 'pci', iommu: 0 }), hex(node.outputNode)];
    case 'mmio-endpoint':
      return [...rangeCells({ ...node, kind: 'mmio', iommu: 0 }), hex(node.outputNode)];
    case 'virtio-iommu-pci':
      return [describeIommu({ ...node, kind: 'pci' })];
    case 'virtio-iommu-mmio':
      return [describeIommu({ ...node, kind: 'mmio' })];
    case 'unknown':
      return [`type ${node.nodeType}, ${node.content.length / 2} bytes`];
  }
}

function topologyText({ topology, source, passedOver }: TopologyDocument): string {
  const { iommus, endpoints } = topology;
  const iommuTable = textTable(
    ['IOMMU', 'device'],
    iommus.map((iommu, index) => [String(index), describeIommu(iommu)]),
  );
  const rangeTable = textTable(
    ['devices', 'endpoint IDs', 'IOMMU'],
    endpoints.map((range) => [...rangeCells(range), String(range.iommu)]),
  );
  const summary = `${printable(source)}: ${count(iommus, 'IOMMU')}, ${count(endpoints, 'endpoint range')}\n`;
  const restTable = textTable(
    ['offset', 'left out, since a topology does not hold it'],
    passedOver.map(({ offset, reason }) => [hex(offset), printable(reason)]),
  );
  return [summary, iommuTable, rangeTable, restTable].filter((part) => part !== '').join('\n');
}

/** Devices, and their endpoint IDs. */
function rangeCells(range: EndpointRange): [string, string] {
  const devices = describeRange(range);
  if (range.kind === 'mmio') return [devices, hex(range.endpoint)];
  const { endpointStart, bdfStart, bdfEnd, segmentStart, segmentEnd } = range;
  const last = endpointStart + bdfEnd - bdfStart;
  const ids = last === endpointStart ? hex(last) : `${hex(endpointStart)} to ${hex(last)}`;
  return [devices, segmentEnd === segmentStart ? ids : `${ids}, 0x10000 more for each segment`];
}

function quoted(text: string): string {
  return `"${printable(text)}"`;
}
