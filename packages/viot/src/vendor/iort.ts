/** readIort: the topology of an IORT, the ACPI table of Arm's SMMUs. */
import { readAddress } from '../address-field.ts';
import { openTable } from '../table/acpi-header.ts';
import type { Topology } from '../topology.ts';
import { ViotError } from '../viot-error.ts';
import {
  type IdMapping,
  IORT_HEADER_SIZE,
  type IortNode,
  isKnown,
  NAMED_COMPONENT,
  ROOT_COMPLEX,
  readNodes,
  SMMU,
  SMMU_V3,
} from './iort-node.ts';
import { TopologyCollector } from './topology-collector.ts';
import type { VendorTableOptions } from './vendor-options.ts';

export const IORT_SIGNATURE = 'IORT';
const COMPONENT_NAME = 29;
/** Characters of it that a message shows. */
const NAME_SHOWN = 64;
const ROOT_COMPLEX_SEGMENT = 28;
const SMMU_BASE = 16;
const LAST_BDF = 0xffff;
const LAST_SEGMENT = 0xffff;

/**
 * The SMMUs of a whole table, from its signature on, and the PCI functions that the ID mappings of root complexes lead to
 * them, each with its stream ID. What is mapped to an ITS group alone is behind no IOMMU. As in Linux, the first root complex
 * of a segment counts, and the first mapping of a function; but a mapping that begins with the last ID of an earlier one has
 * that ID, since some firmware writes the number of IDs where one less belongs.
 *
 * The model has no word for named components, and a single mapping is one ID for more functions than are written out: both
 * are passed over.
 *
 * @throws ViotError, with the offset: `SIGNATURE`, `LENGTH`, `CHECKSUM`, `NODE_BOUNDS`, `OUTPUT_NODE`, `ADDRESS`,
 * `ENDPOINT_ID`, `RANGE` for input IDs, `BDF` for a segment beyond 16 bits
 */
export function readIort(bytes: Uint8Array, options: VendorTableOptions = {}): Topology {
  const view = openTable(bytes, IORT_SIGNATURE, IORT_HEADER_SIZE);
  const collector = new TopologyCollector(options);
  const nodes = readNodes(view);
  /** By the offset of their nodes. */
  const smmus = new Map<number, number>();
  for (const { type, offset } of nodes) {
    if (type !== SMMU && type !== SMMU_V3) continue;
    const model = type === SMMU ? 'smmu' : 'smmu-v3';
    smmus.set(offset, collector.iommu(model, readAddress(view, offset + SMMU_BASE)));
  }
  for (const node of nodes) {
    if (!isKnown(node.type)) {
      collector.passOver(node.offset, `a node of type ${node.type} is not known`);
    } else if (
      node.type === NAMED_COMPONENT &&
      node.mappings.some(({ output }) => smmus.has(output))
    ) {
      collector.passOver(
        node.offset,
        `the component ${JSON.stringify(componentName(view, node))} is known by its ACPI name, and has no address in the IORT`,
      );
    }
  }
  const segments = new Set<number>();
  for (const node of nodes) {
    if (node.type !== ROOT_COMPLEX) continue;
    const segment = segmentOf(view, node);
    if (segments.has(segment)) {
      collector.passOver(node.offset, `segment ${segment} has a root complex before this one`);
    } else addRootComplex(segment, node, smmus, collector);
    segments.add(segment);
  }
  return collector.topology();
}

function segmentOf(view: DataView, { offset }: IortNode): number {
  const segment = view.getUint32(offset + ROOT_COMPLEX_SEGMENT, true);
  if (segment <= LAST_SEGMENT) return segment;
  throw new ViotError(
    'BDF',
    `the root complex at ${offset} has segment ${segment}: segments have 16 bits`,
    offset,
  );
}

/** The first mapping of a function counts, also when it leads to no SMMU. */
function addRootComplex(
  segment: number,
  { mappings }: IortNode,
  smmus: ReadonlyMap<number, number>,
  collector: TopologyCollector,
): void {
  let free: Span[] = [[0, LAST_BDF]];
  for (const [index, mapping] of mappings.entries()) {
    const { offset, inputStart, isSingle, outputStart } = mapping;
    const [start, end] = isSingle
      ? [0, LAST_BDF]
      : [inputStart, ownEnd(mapping, mappings.slice(index + 1))];
    const iommu = smmus.get(mapping.output);
    for (const [bdfStart, bdfEnd] of iommu === undefined ? [] : parts(free, start, end)) {
      const range = { segment, bdfStart, bdfEnd, iommu: iommu! };
      if (isSingle) collector.addShared(offset, range, outputStart);
      else collector.add(range, outputStart + (bdfStart - inputStart));
    }
    free = [...parts(free, 0, start - 1), ...parts(free, end + 1, LAST_BDF)];
  }
}

/** The last input ID that a mapping keeps. */
function ownEnd({ inputStart, inputEnd }: IdMapping, later: readonly IdMapping[]): number {
  const gives = later.some((other) => !other.isSingle && other.inputStart === inputEnd);
  return gives && inputEnd > inputStart ? inputEnd - 1 : inputEnd;
}

/** Both ends inclusive. */
type Span = readonly [start: number, end: number];

/** What of the spans lies between two numbers. */
function parts(spans: readonly Span[], start: number, end: number): Span[] {
  return spans
    .map(([from, to]): Span => [Math.max(from, start), Math.min(to, end)])
    .filter(([from, to]) => from <= to);
}

/** Ends with a NUL, or with the node. */
function componentName(view: DataView, { offset, length }: IortNode): string {
  const start = offset + COMPONENT_NAME;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, length - COMPONENT_NAME);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, Math.min(end < 0 ? length : end, NAME_SHOWN)));
}
