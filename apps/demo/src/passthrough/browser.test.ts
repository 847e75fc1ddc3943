/** The pass-through story runs where there is nothing of Node.js: bundled for browsers, in a context with the language alone. */
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { tellPassThrough } from './passthrough-story.ts';

const STORY = fileURLToPath(new URL('./passthrough-story.ts', import.meta.url));

it('runs in a browser, and comes to the same end', async () => {
  const { outputFiles } = await build({
    entryPoints: [STORY],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'story',
    conditions: ['@viommu/source'],
    write: false,
  });
  // What browsers have beside the language, as far as the packages may use it.
  const context = createContext({ performance, TextEncoder, TextDecoder });
  runInContext(outputFiles[0]!.text, context);
  const { summary, text } = runInContext(
    `let text = '';
     const summary = story.tellPassThrough((part) => { text += part; });
     ({ summary: JSON.stringify(summary), text })`,
    context,
  ) as { summary: string; text: string };
  expect(JSON.parse(summary)).toEqual(tellPassThrough(() => {}));
  expect(text).toContain('2b  reads  4096 bytes');
});
