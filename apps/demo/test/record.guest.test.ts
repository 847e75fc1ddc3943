/** `viommu linux --record` as a user starts it, with a network: fresh devices that replay the trace do the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { guestPartsAreCached } from '../src/guest/guest-parts.ts';
import { replayFile } from '../src/trace/replay-file.ts';
import { runLinux } from './run-linux.ts';

const isReady = Boolean(process.env.CI) || guestPartsAreCached({ network: true });
const folder = mkdtempSync(join(tmpdir(), 'viommu-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.runIf(isReady)('viommu linux --record', () => {
  it('writes a trace that is replayed to its end, with the same requests and the same bytes of DMA', async () => {
    const path = join(folder, 'network.vtrace');
    const result = runLinux('--scenario', 'network', '--record', path);
    const replayed = await replayFile(path);
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.isComplete).toBe(true);
    expect(replayed.statistics.requests).toEqual(result.requests);
    const translated = replayed.statistics.endpoints.map(({ translatedBytes }) => translatedBytes);
    expect(translated.reduce((sum, bytes) => sum + bytes, 0)).toBe(result.dma.translatedBytes);
    expect(replayed.versions).toMatchObject({ kernel: result.kernel, qemu: result.qemu });
  });
});
