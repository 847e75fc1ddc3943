/** A guest in a thread of its own, as a virtual processor is, drives the VMM's devices. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import type { GuestEnd, GuestStart } from './fixtures/guest-thread.ts';
import { createExits, ThreadProcessor } from './fixtures/shared-exits.ts';
import { IOMMU_BASE, RNG, RNG_BASE, ram, runVmm } from './mmio-vmm.ts';

async function startGuest(workerData: GuestStart): Promise<Worker> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./fixtures/guest-thread.ts', import.meta.url))],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    conditions: ['@viommu/source'],
    write: false,
  });
  return new Worker(outputFiles[0]!.text, { eval: true, workerData, execArgv: [] });
}

it('serves a guest that takes random bytes through the IOMMU, until it turns itself off', async () => {
  const exits = createExits();
  const processor = new ThreadProcessor(exits);
  const guest = await startGuest({
    exits,
    ram,
    iommuBase: IOMMU_BASE,
    rngBase: RNG_BASE,
    rng: RNG,
  });
  const ended = once(guest, 'message');
  runVmm(processor);
  const [{ random, answersUnmapped }] = (await ended) as [GuestEnd];
  await guest.terminate();
  expect(answersUnmapped).toBe(false);
  expect(random).toHaveLength(32);
  expect(new Set(random).size).toBeGreaterThan(8);
  expect(processor.interrupts[1]).toBeGreaterThan(0);
});
