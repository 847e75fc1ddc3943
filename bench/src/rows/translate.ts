/** Rows of translation: one address of an endpoint, while N mappings of 4 KiB are there. */
import type { PeerName } from '../peers/peer-programs.ts';
import type { ContestRow } from './row.ts';

function translateRow(
  pattern: 'random' | 'hot',
  count: number,
  theirs: PeerName,
  target: number,
): ContestRow {
  return {
    kind: 'contest',
    name: `translate ${pattern} ${count} / ${theirs}`,
    unit: 'ns per translation',
    work: ['translate', `count=${count}`, `pattern=${pattern}`],
    theirs,
    target,
    multiple: 1,
  };
}

export const TRANSLATE_ROWS: readonly ContestRow[] = [
  translateRow('random', 262_144, 'btree', 0.15),
  translateRow('random', 262_144, 'gtree', 0.05),
  ...[16, 1024, 16_384, 262_144].map((count) => translateRow('hot', count, 'btree', 0.25)),
  {
    kind: 'contest',
    name: 'read through endpoint memory hot 1024',
    unit: 'ns per read of 4 bytes',
    work: ['translate', 'count=1024', 'pattern=hot', 'through=memory'],
    multiple: 1,
  },
];
