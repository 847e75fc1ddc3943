/** A probe: a process of its own that measures one thing that is no time, and prints `{ value, note }` as JSON. */
import { BenchError, messageOf } from '../bench-error.ts';
import { Keys } from '../contestants/work.ts';
import { WORKS } from '../contestants/works.ts';
import { CANDIDATE_NAMES } from '../rejected/candidates.ts';
import { allocatedPerOperation } from './allocation.ts';
import { candidateBytesPerMapping } from './candidate-memory.ts';
import { bytesPerMapping } from './memory.ts';
import type { ProbeAnswer } from './probe.ts';

/** `memory layout=NAME count=N`, `candidate-memory` with `design=NAME`, too, or `allocation OPERATIONS WORK [key=value ...]`. */
async function main([kind, ...words]: readonly string[]): Promise<ProbeAnswer> {
  if (kind === 'memory' || kind === 'candidate-memory') {
    const keys = new Keys(words);
    const count = keys.count('count');
    const layout = keys.text('layout');
    const design = kind === 'memory' ? undefined : keys.choice('design', CANDIDATE_NAMES);
    keys.finish();
    return design === undefined
      ? bytesPerMapping(layout, count)
      : candidateBytesPerMapping(design, layout, count);
  }
  const [operations = '', work = '', ...rest] = words;
  const factory = WORKS.get(work);
  if (kind !== 'allocation' || factory === undefined) {
    throw new BenchError(`unknown probe ${kind} ${work}`);
  }
  const keys = new Keys(rest);
  const made = factory(keys);
  keys.finish();
  return allocatedPerOperation(made, Number(operations));
}

try {
  process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 2;
}
