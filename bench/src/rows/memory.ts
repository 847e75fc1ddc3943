/** Rows of memory: bytes that a resident mapping of 4 KiB takes, in the core and the backend together. */
import { QUICK_SPARSE_LAYOUTS, SPARSE_LAYOUTS } from '../probes/layouts.ts';
import type { Value, ValueOptions, ValueRow } from './row.ts';
import { runProbe } from './run-probe.ts';

const COUNT = 262_144;
const QUICK_COUNT = 16_384;

/** The worst of some layouts. */
async function worstOf(layouts: readonly string[], { quick }: ValueOptions): Promise<Value> {
  const count = quick ? QUICK_COUNT : COUNT;
  let worst = { value: 0, note: '' };
  for (const layout of layouts) {
    const { value, note } = await runProbe(['memory', `layout=${layout}`, `count=${count}`]);
    if (value > worst.value) worst = { value, note: note || `${layout}, ${count} mappings` };
  }
  return { ...worst, runs: layouts.length };
}

export const MEMORY_ROWS: readonly ValueRow[] = [
  {
    kind: 'value',
    name: 'memory per mapping, dense',
    unit: 'B',
    target: 100,
    measure: (options) => worstOf(['dense'], options),
  },
  {
    kind: 'value',
    name: 'memory per mapping, worst sparse layout',
    unit: 'B',
    target: 400,
    measure: (options) => worstOf(options.quick ? QUICK_SPARSE_LAYOUTS : SPARSE_LAYOUTS, options),
  },
];
