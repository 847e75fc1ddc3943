/** What is known of a disk on both sides of a trace: its content at first, and what was written to it since. */
import type { DiskContent } from '../format/trace-events.ts';
import { fillPattern } from './pattern.ts';
import { SparseBytes } from './sparse-bytes.ts';

export function knownDisk(content: DiskContent, limit?: number): SparseBytes {
  return new SparseBytes({
    ...(content.kind === 'pattern'
      ? { fill: (position: number, page: Uint8Array) => fillPattern(content.seed, position, page) }
      : {}),
    ...(limit === undefined ? {} : { limit }),
  });
}
