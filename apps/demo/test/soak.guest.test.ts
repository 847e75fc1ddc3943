/** `viommu soak`, with little time: what a leak would show. How fast reads are in so short a run says more of the machine. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runSoak } from '../src/endurance/soak.ts';
import { prepareGuestParts } from '../src/guest/guest-parts.ts';
import { hasGuest } from './guest-setting.ts';

const SERVER = fileURLToPath(new URL('../dist/soak-server.js', import.meta.url));
const MINUTES = 2;

describe.runIf(hasGuest)('a server under mixed load', () => {
  it('keeps its heap, its descriptors and its mappings', async () => {
    const lines: string[] = [];
    const { checks, rounds, sessions, fetchedBytes } = await runSoak({
      parts: await prepareGuestParts({ network: true }),
      minutes: MINUTES,
      signal: new AbortController().signal,
      onInterval: (line) => lines.push(line),
      serverFile: SERVER,
    });
    const failed = checks.filter(({ holds, text }) => !holds && !text.startsWith('read of 4 KiB'));
    expect(failed, lines.join('\n')).toEqual([]);
    expect(checks).toHaveLength(7);
    expect(sessions).toBe(2);
    expect(rounds).toBeGreaterThan(3);
    expect(fetchedBytes).toBeGreaterThan(0);
  });
});
