/** Rows of bundles: what a browser loads of each package, minified and gzipped, without the packages that it depends on. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { BenchError, messageOf } from '../bench-error.ts';
import type { Value, ValueRow } from './row.ts';

const PACKAGES = ['virtqueue', 'iommu-core', 'transport-pci', 'transport-mmio', 'pviommu-sim'];
const TARGET_KB = 10;

export const BUNDLE_ROWS: readonly ValueRow[] = PACKAGES.map((name) => ({
  kind: 'value',
  name: `bundle of ${name}`,
  unit: 'kB gzipped',
  target: TARGET_KB,
  measure: () => measureBundle(`@viommu/${name}`),
}));

/** All entries of the package but the test suites, in one bundle. */
async function measureBundle(packageName: string): Promise<Value> {
  try {
    const entries = await entriesOf(packageName);
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
    throw new BenchError(`bundle of ${packageName}: ${messageOf(error)}`);
  }
}

async function entriesOf(packageName: string): Promise<readonly string[]> {
  const file = fileURLToPath(import.meta.resolve(`${packageName}/package.json`));
  const { exports } = JSON.parse(await readFile(file, 'utf8')) as { exports: object };
  return Object.keys(exports)
    .filter((path) => path !== './testing' && path !== './package.json')
    .map((path) => packageName + path.slice(1));
}
