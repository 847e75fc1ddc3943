/** Guests and servers that are killed: `viommu faults`, with few of each. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runFaults } from '../src/endurance/faults.ts';
import { descriptorsText } from '../src/endurance/process-use.ts';
import { parts } from './guest-setting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const RUNS = 5;
/** Fixed, so that a failure is one of the change at hand. */
const SEED = 1;

describe.runIf(parts !== undefined)('what is killed', () => {
  it('leaves nothing behind when it is a guest, and no flushed block undone when it is the server', async () => {
    const { guests, servers, complaints } = await runFaults({
      parts: parts!,
      runs: RUNS,
      servers: 1,
      seed: SEED,
      signal: new AbortController().signal,
      onProgress: () => {},
      mainFile: MAIN,
    });
    const { phases, before, after } = guests;
    expect(Object.values(phases).reduce((sum, count) => sum + count)).toBe(RUNS);
    expect(descriptorsText(after)).toBe(descriptorsText(before));
    expect(after.sharedMappings).toBe(0);
    expect(servers[0]?.flushed).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });
});
