/** Rows of requests: MAP and UNMAP end to end, through the queue, while N mappings are there. */
import type { ContestRow } from './row.ts';

const BATCH = 128;
const COUNTS = [16, 1024, 16_384, 262_144] as const;

function requestWork(count: number): readonly string[] {
  return ['request', `count=${count}`];
}

const COMMON = { kind: 'contest', unit: 'ns per request', multiple: BATCH } as const;

export const REQUEST_ROWS: readonly ContestRow[] = [
  ...COUNTS.map(
    (count): ContestRow => ({
      ...COMMON,
      name: `request, ${count} resident / rust`,
      work: requestWork(count),
      theirs: 'rust',
      target: 0.6,
    }),
  ),
  {
    ...COMMON,
    name: 'request, 262144 resident / 16 resident',
    work: requestWork(262_144),
    theirs: requestWork(16),
    target: 2,
  },
];
