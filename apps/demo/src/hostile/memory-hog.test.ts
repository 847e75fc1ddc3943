/** With the limits that a device has by default, no guest takes more than 256 MiB of the host's memory for its mappings. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./fixtures/memory-hog.ts', import.meta.url));
const MOST = 256;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'viommu-hog-'));
  await build({
    entryPoints: [PROGRAM],
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@viommu/source'],
    external: ['vitest', 'fast-check'],
    outfile: join(folder, 'hog.mjs'),
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['22', 'single'],
  ['18', 'paired'],
])(
  'pages every 2^%s bytes, %s',
  (bits, paired) => {
    const output = execFileSync(process.execPath, [join(folder, 'hog.mjs'), bits, paired]);
    const { mappings, refused, mebibytes } = JSON.parse(output.toString());
    expect([mappings, refused]).toEqual([2 ** 20, 'NOMEM']);
    expect(mebibytes).toBeGreaterThan(16);
    expect(mebibytes).toBeLessThan(MOST);
  },
  120_000,
);
