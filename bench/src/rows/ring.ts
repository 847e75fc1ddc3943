/** Rows of the rings: a chain of 16 readable and 4 writable bytes, popped, answered and pushed. */
import type { PeerName } from '../peers/peer-programs.ts';
import type { ContestRow } from './row.ts';

const REFILL = 128;

function ringRow(
  name: string,
  words: readonly string[],
  theirs: PeerName | readonly string[],
  target: number,
): ContestRow {
  const work = ['ring', ...words];
  return { kind: 'contest', name, unit: 'ns per chain', work, theirs, target, multiple: REFILL };
}

const DIRECT = ['layout=direct', 'barriers=no'];

export const RING_ROWS: readonly ContestRow[] = [
  ringRow('ring direct / rust', DIRECT, 'rust', 0.45),
  ringRow('ring indirect / rust', ['layout=indirect', 'barriers=no'], 'rust', 0.5),
  ringRow('ring direct with barriers / rust', ['layout=direct', 'barriers=yes'], 'rust', 0.7),
  ringRow('ring direct / c', DIRECT, 'c', 4),
  ringRow('ring packed / split', ['layout=packed'], ['ring', ...DIRECT], 1.1),
];
