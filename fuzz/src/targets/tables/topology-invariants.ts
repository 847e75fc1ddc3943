/** What holds of every topology that was read, and of every error in place of one. */
import { normalizeTopology, type Topology, ViotError } from '@viommu/viot';
import { violated } from '../../engine/invariant.ts';

const CODES: readonly string[] = [
  'BDF',
  'ADDRESS',
  'IOMMU',
  'RANGE',
  'OVERLAP',
  'ENDPOINT_ID',
  'OEM',
  'HOST_BRIDGE',
  'SIZE',
  'SIGNATURE',
  'LENGTH',
  'CHECKSUM',
  'NODE_BOUNDS',
  'OUTPUT_NODE',
  'SYNTAX',
];
/**
 * A topology is taken apart into its segments to be normalized, so not those that have them all many times, nor those with a range
 * for each of many thousand functions.
 */
const SEGMENTS_MAX = 4096;

/** @returns the index of the error's code from 1 on, or what was read @throws what is no ViotError */
export function attempt<Result>(read: () => Result): Result | number {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ViotError)) throw error;
    const index = CODES.indexOf(error.code);
    if (index < 0) violated(`there is no error ${error.code}`);
    const { offset } = error;
    const isOffset = offset === undefined || (Number.isInteger(offset) && offset >= 0);
    if (!isOffset) violated(`the error ${error.code} is at ${offset}`);
    return index + 1;
  }
}

export function checkTopology(topology: Topology): void {
  const { iommus, endpoints } = topology;
  for (const iommu of iommus) {
    if (iommu.kind === 'pci') check(isUint(iommu.segment, 16) && isUint(iommu.bdf, 16), iommu);
    else check(Number.isSafeInteger(iommu.base) && iommu.base >= 0, iommu);
  }
  let segments = 0;
  for (const range of endpoints) {
    check(range.iommu >= 0 && range.iommu < iommus.length, range);
    if (range.kind === 'mmio') {
      check(Number.isSafeInteger(range.base) && range.base >= 0, range);
      check(isUint(range.endpoint, 32), range);
      continue;
    }
    const { segmentStart, segmentEnd, bdfStart, bdfEnd, endpointStart } = range;
    for (const field of [segmentStart, segmentEnd, bdfStart, bdfEnd])
      check(isUint(field, 16), range);
    check(isUint(endpointStart, 32) && segmentStart <= segmentEnd && bdfStart <= bdfEnd, range);
    segments += segmentEnd - segmentStart + 1;
  }
  if (segments > SEGMENTS_MAX) return;
  const normal = normalizeTopology(topology);
  checkSame(normalizeTopology(normal), normal, 'normalized again');
}

export function checkSame(left: unknown, right: unknown, what: string): void {
  const [one, other] = [JSON.stringify(left), JSON.stringify(right)];
  if (one !== other) violated(`${what}: ${one} in place of ${other}`);
}

function isUint(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** bits;
}

function check(holds: boolean, what: object): void {
  if (!holds) violated(`there is ${JSON.stringify(what)}`);
}
