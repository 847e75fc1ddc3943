/** The scenarios run where there is nothing of Node.js: bundled for browsers, in a context with the language alone. */
import { createContext, runInContext } from 'node:vm';
import { memoryDiskParts, playDisk, playPassThrough } from '@viommu/scenarios';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const BYTES = 64 * 1024;

it('run in a browser, and come to the same end', async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '@viommu/scenarios'`, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'scenarios',
    conditions: ['@viommu/source'],
    write: false,
  });
  // What browsers have beside the language, as far as the packages may use it.
  const context = createContext({ performance, TextEncoder, TextDecoder });
  // Pages have it only where their server says that they are alone.
  runInContext('delete globalThis.SharedArrayBuffer', context);
  runInContext(outputFiles[0]!.text, context);
  const there = runInContext(
    `const told = [];
     const teller = { chapter() {}, tell: (...words) => { told.push(words); }, observer: {} };
     const passThrough = scenarios.playPassThrough(teller);
     const disk = scenarios.playDisk(teller, scenarios.memoryDiskParts(new Uint8Array(${BYTES})));
     JSON.stringify({ told, passThrough, disk })`,
    context,
  ) as string;
  const told: unknown[] = [];
  const teller = {
    chapter() {},
    tell: (...words: unknown[]) => {
      told.push(words);
    },
    observer: {},
  };
  const passThrough = playPassThrough(teller);
  const disk = playDisk(teller, memoryDiskParts(new Uint8Array(BYTES)));
  expect(JSON.parse(there)).toEqual({ told, passThrough, disk });
  expect(told.length).toBeGreaterThan(30);
});
