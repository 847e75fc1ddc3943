/** Rows of bundles: what a browser loads of each package, minified and gzipped, without the packages that it depends on. */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { BenchError, messageOf } from '../bench-error.ts';
import type { Value, ValueRow } from './row.ts';

/** What is loaded together: a device has no driver in it, and not everyone takes snapshots. */
const BUNDLES = [
  ['virtqueue', ['virtqueue', 'virtqueue/device']],
  ['virtqueue/driver', ['virtqueue/driver']],
  ['virtqueue/snapshot', ['virtqueue/snapshot']],
  ['iommu-core', ['iommu-core']],
  ['transport-pci', ['transport-pci', 'transport-pci/driver']],
  ['transport-mmio', ['transport-mmio', 'transport-mmio/driver']],
  ['pviommu-sim', ['pviommu-sim']],
] as const;
const TARGET_KB = 10;

export const BUNDLE_ROWS: readonly ValueRow[] = BUNDLES.map(([name, entries]) => ({
  kind: 'value',
  name: `bundle of ${name}`,
  unit: 'kB gzipped',
  target: TARGET_KB,
  measure: () =>
    measureBundle(
      name,
      entries.map((entry) => `@viommu/${entry}`),
    ),
}));

/** The entries in one bundle. */
async function measureBundle(name: string, entries: readonly string[]): Promise<Value> {
  try {
    const result = await build({
      stdin: {
        contents: entries
          .map((entry, index) => `export * as e${index} from '${entry}';`)
          .join('\n'),
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2023',
      logLevel: 'silent',
      plugins: [
        {
          name: 'other packages stay outside',
          setup: ({ onResolve }) =>
            onResolve({ filter: /^@viommu\// }, ({ path }) =>
              entries.includes(path) ? undefined : { path, external: true },
            ),
        },
      ],
    });
    const bytes = gzipSync(result.outputFiles[0]!.contents, { level: 9 }).length;
    return { value: bytes / 1000, note: '', runs: 1 };
  } catch (error) {
    throw new BenchError(`bundle of ${name}: ${messageOf(error)}`);
  }
}
