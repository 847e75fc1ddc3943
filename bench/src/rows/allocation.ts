/** Rows of allocation: bytes of garbage per operation in steady state. */
import type { ValueRow } from './row.ts';
import { runProbe } from './run-probe.ts';

const OPERATIONS = 8 * 131_072;
const QUICK_OPERATIONS = 131_072;
/** Half a digit of what is reported would be a few bytes in a thousand operations. */
const MET_UP_TO = 0.04;

function allocationRow(what: string, work: readonly string[]): ValueRow {
  return {
    kind: 'value',
    name: `allocated per ${what}`,
    unit: 'B',
    target: 0,
    metUpTo: MET_UP_TO,
    async measure({ quick }) {
      const operations = quick ? QUICK_OPERATIONS : OPERATIONS;
      return { ...(await runProbe(['allocation', `${operations}`, ...work])), runs: 1 };
    },
  };
}

export const ALLOCATION_ROWS: readonly ValueRow[] = [
  allocationRow('chain', ['ring', 'layout=direct']),
  allocationRow('chain, packed', ['ring', 'layout=packed']),
  allocationRow('request', ['request', 'count=1024']),
  allocationRow('translation', ['translate', 'count=262144', 'pattern=random']),
];
