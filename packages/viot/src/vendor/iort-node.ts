/** The nodes of an IORT: bounds, ID mappings, and what these refer to. */
import { ViotError } from '../viot-error.ts';
import { checkSize, type Structure, type StructureHead, structureAt } from './structures.ts';

export interface IortNode extends Structure {
  readonly mappings: readonly IdMapping[];
}

/** Input IDs that become IDs of another node. Ends are inclusive. */
export interface IdMapping {
  /** From the start of the table. */
  readonly offset: number;
  readonly inputStart: number;
  readonly inputEnd: number;
  readonly outputStart: number;
  /** Offset of the node that has the output IDs. */
  readonly output: number;
  /** All input IDs, whatever they are, become `outputStart`. */
  readonly isSingle: boolean;
}

// Types of nodes.
const ITS_GROUP = 0;
export const NAMED_COMPONENT = 1;
export const ROOT_COMPLEX = 2;
export const SMMU = 3;
export const SMMU_V3 = 4;
const PMCG = 5;
const RMR = 6;

/** By type: the name, and the bytes of the structure in its first revision. */
const KNOWN: ReadonlyMap<number, readonly [name: string, size: number]> = new Map([
  [ITS_GROUP, ['ITS group', 20]],
  [NAMED_COMPONENT, ['named component', 30]],
  [ROOT_COMPLEX, ['root complex', 32]],
  [SMMU, ['SMMUv1 or SMMUv2', 60]],
  [SMMU_V3, ['SMMUv3', 60]],
  [PMCG, ['PMCG', 32]],
  [RMR, ['RMR', 28]],
]);

const IORT_NODE_COUNT = 36;
const IORT_NODE_OFFSET = 40;
export const IORT_HEADER_SIZE = 48;

const NODE: StructureHead = { name: 'node', size: 16, typeSize: 1, lengthOffset: 1, lengthSize: 2 };
const NODE_MAPPING_COUNT = 8;
const NODE_MAPPING_OFFSET = 12;

const MAPPING_INPUT_BASE = 0;
/** One less than the number of IDs. */
const MAPPING_ID_COUNT = 4;
const MAPPING_OUTPUT_BASE = 8;
const MAPPING_OUTPUT_REFERENCE = 12;
const MAPPING_FLAGS = 16;
const MAPPING_SIZE = 20;
const SINGLE_MAPPING = 1;

const UINT32_MAX = 0xffffffff;

/**
 * All nodes, in order; those of unknown types without mappings.
 *
 * @throws ViotError `NODE_BOUNDS`, `OUTPUT_NODE`, `RANGE`, `ENDPOINT_ID`
 */
export function readNodes(view: DataView): IortNode[] {
  const firstNode = view.getUint32(IORT_NODE_OFFSET, true);
  if (firstNode < IORT_HEADER_SIZE || firstNode > view.byteLength) {
    throw new ViotError(
      'NODE_BOUNDS',
      `the first node is said to be at ${firstNode}: nodes lie behind the header of ${IORT_HEADER_SIZE} bytes, within the ${view.byteLength} of the table`,
      IORT_NODE_OFFSET,
    );
  }
  const nodes: IortNode[] = [];
  let offset = firstNode;
  for (let left = view.getUint32(IORT_NODE_COUNT, true); left > 0; left -= 1) {
    const node = structureAt(view, offset, view.byteLength, NODE);
    nodes.push({ ...node, mappings: readMappings(view, node) });
    offset += node.length;
  }
  const types = new Map(nodes.map((node) => [node.offset, node.type]));
  for (const { mappings } of nodes) for (const mapping of mappings) checkOutput(mapping, types);
  return nodes;
}

export function isKnown(type: number): boolean {
  return KNOWN.has(type);
}

function readMappings(view: DataView, node: Structure): IdMapping[] {
  const known = KNOWN.get(node.type);
  if (known === undefined) return [];
  const [name, size] = known;
  checkSize(node, name, size);
  const count = view.getUint32(node.offset + NODE_MAPPING_COUNT, true);
  const start = view.getUint32(node.offset + NODE_MAPPING_OFFSET, true);
  if (count > 0 && (start < size || start + count * MAPPING_SIZE > node.length)) {
    throw new ViotError(
      'NODE_BOUNDS',
      `${count} ID mappings from ${start} on do not fit the ${name} at ${node.offset}: it has ${node.length} bytes, its fields ${size} of them`,
      node.offset,
    );
  }
  return Array.from({ length: count }, (_, index) =>
    readMapping(view, node.offset + start + index * MAPPING_SIZE),
  );
}

function readMapping(view: DataView, offset: number): IdMapping {
  const inputStart = view.getUint32(offset + MAPPING_INPUT_BASE, true);
  const count = view.getUint32(offset + MAPPING_ID_COUNT, true);
  const outputStart = view.getUint32(offset + MAPPING_OUTPUT_BASE, true);
  const isSingle = (view.getUint32(offset + MAPPING_FLAGS, true) & SINGLE_MAPPING) !== 0;
  const inputEnd = inputStart + count;
  if (!isSingle && inputEnd > UINT32_MAX) {
    throw new ViotError(
      'RANGE',
      `the ID mapping at ${offset} has input IDs beyond 32 bits: ${count + 1} from ${inputStart} on`,
      offset,
    );
  }
  if (!isSingle && outputStart + count > UINT32_MAX) {
    throw new ViotError(
      'ENDPOINT_ID',
      `the ID mapping at ${offset} has output IDs beyond 32 bits: ${count + 1} from ${outputStart} on`,
      offset,
    );
  }
  const output = view.getUint32(offset + MAPPING_OUTPUT_REFERENCE, true);
  return { offset, inputStart, inputEnd, outputStart, output, isSingle };
}

/** An "Output Reference" is the offset of an ITS group or an SMMU of the same table. */
function checkOutput({ offset, output }: IdMapping, types: ReadonlyMap<number, number>): void {
  const type = types.get(output);
  if (type === ITS_GROUP || type === SMMU || type === SMMU_V3) return;
  throw new ViotError(
    'OUTPUT_NODE',
    `the ID mapping at ${offset} refers to ${output}, where ${type === undefined ? 'no node begins' : `a node of type ${type} is`}: an ITS group or an SMMU has to be there`,
    offset,
  );
}
