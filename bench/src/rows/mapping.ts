/** Rows of mapping: pairs of map and unmap, and the removal of many mappings at once. */
import type { ContestRow } from './row.ts';

const GIB = 2 ** 30;
const COUNTS = [16, 262_144] as const;
const REMOVED = 262_144;

function pairRow(size: number, offset: number, count: number): ContestRow {
  const extent = size === GIB ? `1 GiB + ${offset}` : `${size}`;
  return {
    kind: 'contest',
    name: `pair ${extent}, ${count} resident / btree`,
    unit: 'ns per pair',
    work: ['pair', `size=${size}`, `offset=${offset}`, `count=${count}`],
    theirs: 'btree',
    target: 1,
    multiple: 1,
  };
}

const UNMAP_ALL = ['unmap-all', `count=${REMOVED}`];

export const MAPPING_ROWS: readonly ContestRow[] = [
  ...COUNTS.map((count) => pairRow(GIB, 0, count)),
  ...COUNTS.map((count) => pairRow(GIB, 4096, count)),
  ...COUNTS.map((count) => pairRow(4096, 0, count)),
  {
    kind: 'contest',
    name: `unmap ${REMOVED} at once / one by one`,
    unit: 'ns per mapping',
    work: [...UNMAP_ALL, 'by=range'],
    theirs: [...UNMAP_ALL, 'by=one'],
    target: 0.2,
    multiple: REMOVED,
  },
];
