/** The properties of a host bridge that say which of its functions are behind which IOMMU: `iommu-map` and its mask. */
import { ViotError } from '../viot-error.ts';
import type { TreeNode } from './flattened-tree.ts';
import { cellsOf, pathOf } from './tree-node.ts';

/** Functions with consecutive requester IDs and consecutive endpoint IDs. */
export interface MappedFunctions {
  readonly bdfStart: number;
  /** Inclusive. */
  readonly bdfEnd: number;
  readonly endpointStart: number;
  readonly phandle: number;
}

/** One of (rid-base, phandle, iommu-base, length). */
interface MapEntry {
  readonly ridBase: number;
  readonly phandle: number;
  readonly iommuBase: number;
  readonly length: number;
}

const ENTRY_CELLS = 4;
const RIDS = 0x10000;
const NO_ENTRY = -1;

/**
 * What a kernel would find for each requester ID: it takes the first entry that has the ID, ANDed with the mask.
 *
 * @throws ViotError `SYNTAX`
 */
export function mappedFunctions(hostBridge: TreeNode): MappedFunctions[] {
  const entries = entriesOf(hostBridge);
  if (entries.length === 0) return [];
  const [mask = RIDS - 1] = cellsOf(hostBridge, 'iommu-map-mask');
  const outside = entries.find(({ ridBase }) => (ridBase & ~mask) !== 0);
  if (outside !== undefined) {
    throw new ViotError(
      'SYNTAX',
      `iommu-map-mask of ${pathOf(hostBridge)} leaves nothing of the entry for requester ID ${outside.ridBase}: Linux takes no such map`,
    );
  }
  const firstEntry = new Int32Array(RIDS).fill(NO_ENTRY);
  entries.toReversed().forEach(({ ridBase, length }, index) => {
    firstEntry.fill(entries.length - 1 - index, ridBase, ridBase + length);
  });
  const functions: { -readonly [Field in keyof MappedFunctions]: MappedFunctions[Field] }[] = [];
  for (let bdf = 0; bdf < RIDS; bdf++) {
    const rid = bdf & mask;
    const entry = entries[firstEntry[rid]!];
    if (entry === undefined) continue;
    const { phandle } = entry;
    const id = (entry.iommuBase + (rid - entry.ridBase)) % 2 ** 32;
    const last = functions.at(-1);
    const goesOn =
      last?.bdfEnd === bdf - 1 &&
      last.phandle === phandle &&
      id === last.endpointStart + (bdf - last.bdfStart);
    if (goesOn) last.bdfEnd = bdf;
    else functions.push({ bdfStart: bdf, bdfEnd: bdf, endpointStart: id, phandle });
  }
  return functions;
}

function entriesOf(hostBridge: TreeNode): MapEntry[] {
  const cells = cellsOf(hostBridge, 'iommu-map');
  if (cells.length % ENTRY_CELLS !== 0) {
    throw new ViotError(
      'SYNTAX',
      `iommu-map of ${pathOf(hostBridge)} has ${cells.length} cells: each entry has ${ENTRY_CELLS}`,
    );
  }
  return Array.from({ length: cells.length / ENTRY_CELLS }, (_, index) => {
    const [ridBase, phandle, iommuBase, length] = cells.slice(index * ENTRY_CELLS);
    return { ridBase: ridBase!, phandle: phandle!, iommuBase: iommuBase!, length: length! };
  });
}
