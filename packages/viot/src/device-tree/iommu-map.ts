/** The properties of a host bridge that say which of its functions are behind which IOMMU: `iommu-map` and its mask. */
import { ViotError } from '../viot-error.ts';
import { type FunctionRange, part, visibleParts } from '../visible-parts.ts';
import type { TreeNode } from './flattened-tree.ts';
import { cellsOf, pathOf } from './tree-node.ts';

/** Functions with consecutive requester IDs and consecutive endpoint IDs. */
export interface MappedFunctions extends FunctionRange {
  readonly phandle: number;
}

const ENTRY_CELLS = 4;
const RID_BITS = 16;
const RIDS = 2 ** RID_BITS;
const IDS = 2 ** 32;

/**
 * What a kernel would find for each requester ID: it takes the first entry that has the ID, ANDed with the mask. Takes time by
 * the number of entries and of what comes of them, not by that of requester IDs.
 *
 * @returns in ascending order, joined where both requester IDs and endpoint IDs go on
 * @throws ViotError `SYNTAX`
 */
export function mappedFunctions(hostBridge: TreeNode): MappedFunctions[] {
  const entries = entriesOf(hostBridge);
  if (entries.length === 0) return [];
  const [mask = RIDS - 1] = cellsOf(hostBridge, 'iommu-map-mask');
  const outside = entries.find(({ bdfStart }) => (bdfStart & ~mask) !== 0);
  if (outside !== undefined) {
    throw new ViotError(
      'SYNTAX',
      `iommu-map-mask of ${pathOf(hostBridge)} leaves nothing of the entry for requester ID ${outside.bdfStart}: Linux takes no such map`,
    );
  }
  const existing = entries.flatMap((entry) => part(entry, 0, RIDS - 1));
  const byRid = visibleParts(existing.reverse()).sort((a, b) => a.bdfStart - b.bdfStart);
  const unmasked = new Unmasked(byRid, mask & (RIDS - 1));
  unmasked.add(0, 0, RID_BITS, 0, byRid.length);
  return unmasked.functions;
}

/** Functions by their own requester IDs, found by those that are left of these when they are masked. */
class Unmasked {
  /** In ascending order. */
  readonly functions: { -readonly [Field in keyof MappedFunctions]: MappedFunctions[Field] }[] = [];
  readonly #byRid: readonly MappedFunctions[];
  readonly #mask: number;

  /** @param byRid by masked IDs, in ascending order, none overlapping another */
  constructor(byRid: readonly MappedFunctions[], mask: number) {
    this.#byRid = byRid;
    this.#mask = mask;
  }

  /**
   * Takes the functions from `bdf` to `bdf` + 2^`bits` - 1, which are `high` and what follows when they are masked. A block
   * with nothing in it is left at once; one whose lowest bits are all in the mask goes on as masked IDs do.
   *
   * @param from where in `byRid` they can be @param to exclusive
   */
  add(high: number, bdf: number, bits: number, from: number, to: number): void {
    const ranges = this.#byRid;
    const low = this.#mask & (2 ** bits - 1);
    let first = from;
    let end = to;
    while (first < end && ranges[first]!.bdfEnd < high) first += 1;
    while (first < end && ranges[end - 1]!.bdfStart > high + low) end -= 1;
    if (first === end) return;
    if (low === 2 ** bits - 1) {
      for (let index = first; index < end; index += 1) {
        this.#append(ranges[index]!, high, high + low, bdf - high);
      }
      return;
    }
    const half = 2 ** (bits - 1);
    const before = this.functions.length;
    this.add(high, bdf, bits - 1, first, end);
    const isMasked = (this.#mask & half) !== 0;
    // Of a bit that the mask leaves out both halves are the same.
    if (!isMasked && this.functions.length === before) return;
    this.add(isMasked ? high + half : high, bdf + half, bits - 1, first, end);
  }

  /** What of a range is from `start` to `end`, as the functions that are `distance` further; what goes on is joined. */
  #append(range: MappedFunctions, start: number, end: number, distance: number): void {
    const bdfStart = Math.max(range.bdfStart, start);
    const bdfEnd = Math.min(range.bdfEnd, end);
    const endpointStart = (range.endpointStart + (bdfStart - range.bdfStart)) % IDS;
    // Endpoint IDs have 32 bits: they go on at 0.
    const wrapsAt = bdfStart + (IDS - endpointStart);
    const { phandle } = range;
    this.#join(
      bdfStart + distance,
      Math.min(bdfEnd, wrapsAt - 1) + distance,
      endpointStart,
      phandle,
    );
    if (wrapsAt <= bdfEnd) this.#join(wrapsAt + distance, bdfEnd + distance, 0, phandle);
  }

  #join(bdfStart: number, bdfEnd: number, endpointStart: number, phandle: number): void {
    const last = this.functions.at(-1);
    const goesOn =
      last?.bdfEnd === bdfStart - 1 &&
      last.phandle === phandle &&
      last.endpointStart + (bdfStart - last.bdfStart) === endpointStart;
    if (goesOn) last.bdfEnd = bdfEnd;
    else this.functions.push({ bdfStart, bdfEnd, endpointStart, phandle });
  }
}

/** By the requester IDs that they name; each is (rid-base, phandle, iommu-base, length). */
function entriesOf(hostBridge: TreeNode): MappedFunctions[] {
  const cells = cellsOf(hostBridge, 'iommu-map');
  if (cells.length % ENTRY_CELLS !== 0) {
    throw new ViotError(
      'SYNTAX',
      `iommu-map of ${pathOf(hostBridge)} has ${cells.length} cells: each entry has ${ENTRY_CELLS}`,
    );
  }
  return Array.from({ length: cells.length / ENTRY_CELLS }, (_, index) => {
    const at = index * ENTRY_CELLS;
    const [bdfStart, phandle, endpointStart, length] = cells.slice(at, at + ENTRY_CELLS);
    return {
      bdfStart: bdfStart!,
      bdfEnd: bdfStart! + length! - 1,
      endpointStart: endpointStart!,
      phandle: phandle!,
    };
  });
}
