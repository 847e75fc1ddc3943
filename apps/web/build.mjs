// Builds the page into dist/: the page, its worker, its style sheet and the shipped traces, which a server of files can have
// in any folder. Fails when the page has become too large.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TraceReader } from '@viommu/trace';
import { build } from 'esbuild';

/** Bytes of all but the traces, each file compressed with gzip. */
const LARGEST = 300_000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = here('dist/');
const traces = here('../demo/traces/');

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    main: here('src/main.tsx'),
    'replay-worker': here('src/replay/replay-worker.ts'),
  },
  outdir: dist,
  bundle: true,
  format: 'esm',
  target: 'es2023',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
  logOverride: { 'ignored-bare-import': 'silent' },
});
copyFileSync(here('src/index.html'), `${dist}index.html`);

const files = readdirSync(dist).filter((file) => !file.endsWith('.map'));
const sizes = files.map((file) => [file, gzipSync(readFileSync(dist + file)).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of [...sizes, ['together', total]]) {
  process.stdout.write(`${file}: ${size} bytes with gzip\n`);
}
if (total > LARGEST) {
  process.stderr.write(`the page has ${total} bytes, more than ${LARGEST}: make it smaller\n`);
  process.exitCode = 1;
}

mkdirSync(`${dist}traces`);
const names = readdirSync(traces)
  .filter((file) => file.endsWith('.vtrace'))
  .map((file) => file.slice(0, -'.vtrace'.length));
// There is most to see in it.
const FIRST = 'x86_64-passthrough';
names.sort(
  (one, other) => Number(other === FIRST) - Number(one === FIRST) || (one < other ? -1 : 1),
);
const index = names.map((name) => {
  const file = `${traces}${name}.vtrace`;
  copyFileSync(file, `${dist}traces/${name}.vtrace`);
  const reader = new TraceReader();
  reader.push(gunzipSync(readFileSync(file))).next();
  return { name, title: reader.header.title, url: `traces/${name}.vtrace` };
});
writeFileSync(`${dist}traces/index.json`, JSON.stringify(index));
