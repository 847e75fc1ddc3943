/** The designs for a table of mappings that were tried, by name. */
import type { CandidateTable } from './candidate-table.ts';
import { ChosenTable } from './chosen-table.ts';
import { ChunkList } from './chunk-list.ts';
import { LookAsideTable } from './look-aside-table.ts';
import { RadixTable } from './radix-table.ts';

export const CANDIDATES = {
  chosen: () => new ChosenTable(),
  chunks: () => new ChunkList(),
  radix: () => new RadixTable(),
  'look-aside': () => new LookAsideTable(),
} as const satisfies Readonly<Record<string, () => CandidateTable>>;

export type CandidateName = keyof typeof CANDIDATES;
export const CANDIDATE_NAMES = ['chosen', 'chunks', 'radix', 'look-aside'] as const;
