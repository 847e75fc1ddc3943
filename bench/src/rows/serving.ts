/** Rows of the server: a register read over its socket, and how soon it listens. */
import { spreadOf } from '../contest/statistics.ts';
import { serveOurs } from '../serving/serving.ts';
import type { ServedRow, Value, ValueOptions, ValueRow } from './row.ts';

const STARTS = 15;

export const SERVING_ROWS: readonly (ServedRow | ValueRow)[] = [
  {
    kind: 'served',
    name: 'register read over vfio-user / c',
    unit: 'ns per read',
    work: ['register-read'],
    client: 'register-client',
    theirs: 'register-server',
    target: 1.3,
    multiple: 1,
  },
  {
    kind: 'value',
    name: 'viommu serve, exec to listening',
    unit: 'ms',
    target: 300,
    measure: measureStart,
  },
];

async function measureStart({ quick }: ValueOptions): Promise<Value> {
  const times: number[] = [];
  for (let run = 0; run < (quick ? 1 : STARTS); run += 1) {
    const serving = await serveOurs();
    times.push(serving.milliseconds);
    await serving.stop();
  }
  const { median, min, max } = spreadOf(times);
  return {
    value: median,
    note: `${min.toFixed(0)} to ${max.toFixed(0)} ms`,
    runs: times.length,
  };
}
