/** What holds for a chain in either layout, and for an indirect table. */
import type { ModelMemory, ModelSegment } from './ring-model.ts';

const READ = 1;

/** Whether a device may take a chain of these segments out of a queue of `size`. */
export function isLegalChain(segments: readonly ModelSegment[], size: number): boolean {
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  const firstWritable = segments.findIndex(({ isWritable }) => isWritable);
  const areReadableFirst =
    firstWritable < 0 || segments.slice(firstWritable).every(({ isWritable }) => isWritable);
  return segments.length <= size && total <= 2 ** 32 && areReadableFirst;
}

/** The number of entries of an indirect table; 0 for one that is refused. */
export function tableEntries(
  memory: ModelMemory,
  address: number,
  length: number,
  size: number,
): number {
  const isTable = length > 0 && length % 16 === 0 && length / 16 <= size;
  return isTable && memory.holds(address, length, READ) ? length / 16 : 0;
}
