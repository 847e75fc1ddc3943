/** Rows of memory: bytes that a resident mapping of 4 KiB takes, in the core and the backend together. */
import { availableParallelism } from 'node:os';
import { QUICK_SPARSE_LAYOUTS, SPARSE_LAYOUTS } from '../probes/layouts.ts';
import type { Value, ValueOptions, ValueRow } from './row.ts';
import { runProbe } from './run-probe.ts';

const COUNT = 262_144;
const QUICK_COUNT = 16_384;

/** The worst of some layouts. Bytes do not depend on what runs beside, so as many are measured at a time as there are cores. */
async function worstOf(layouts: readonly string[], { quick }: ValueOptions): Promise<Value> {
  const count = quick ? QUICK_COUNT : COUNT;
  let worst = { value: 0, note: '' };
  const left = [...layouts];
  const work = async () => {
    for (let layout = left.shift(); layout !== undefined; layout = left.shift()) {
      const { value, note } = await runProbe(['memory', `layout=${layout}`, `count=${count}`]);
      if (value > worst.value) worst = { value, note: note || `${layout}, ${count} mappings` };
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
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
