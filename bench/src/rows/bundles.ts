/** Rows of bundles: what a browser loads of each package, minified and gzipped, without the packages that it depends on. */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { BenchError, messageOf } from '../bench-error.ts';
import type { Value, ValueRow } from './row.ts';

const TARGET_KB = 10;
const VIRTQUEUE = ['virtqueue', 'virtqueue/device', 'virtqueue/driver', 'virtqueue/snapshot'];

/** Whole packages but for their test suites; and without a target, what of the largest is loaded together. */
const BUNDLES: readonly (readonly [name: string, entries: readonly string[], target?: number])[] = [
  ['virtqueue', VIRTQUEUE, TARGET_KB],
  ['virtqueue, what a device loads', ['virtqueue', 'virtqueue/device']],
  ['virtqueue, what a driver loads', ['virtqueue/driver']],
  ['iommu-core', ['iommu-core'], TARGET_KB],
  ['transport-pci', ['transport-pci', 'transport-pci/driver'], TARGET_KB],
  ['transport-mmio', ['transport-mmio', 'transport-mmio/driver'], TARGET_KB],
  ['pviommu-sim', ['pviommu-sim'], TARGET_KB],
];

export const BUNDLE_ROWS: readonly ValueRow[] = BUNDLES.map(([name, entries, target]) => ({
  kind: 'value',
  name: `bundle of ${name}`,
  unit: 'kB gzipped',
  ...(target === undefined ? {} : { target }),
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
