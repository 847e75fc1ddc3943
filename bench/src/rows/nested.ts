/** Row of the nested stage: a large mapping joined with scattered frames, beside small ones. */
import type { ContestRow } from './row.ts';

export const NESTED_ROWS: readonly ContestRow[] = [
  {
    kind: 'contest',
    name: 'nested map of 2 MiB / 512 of 4 KiB',
    unit: 'ns per 2 MiB',
    work: ['nested-map', 'by=range'],
    theirs: ['nested-map', 'by=page'],
    target: 0.5,
    multiple: 16,
  },
];
