// Builds the page into dist/: the page, its workers, its style sheet, the emulator and the shipped traces, which a server of files can
// have in any folder. Fails when the page has become too large. The guest, which `pnpm build:web` puts there, stays.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { TraceReader } from '@viommu/trace';
import { build } from 'esbuild';

/** Bytes of all that everybody loads, each file compressed with gzip. */
const LARGEST = 300_000;
/** What is loaded when a guest is to boot. */
const GUEST_FILES = ['guest-worker.js', 'terminal.js', 'v86.wasm.gz'];
const GUEST = 'guest';
/** v86 asks for them where it runs in Node.js. */
const NODE_MODULES = ['crypto', 'node:crypto', 'fs', 'node:fs/promises', 'perf_hooks'];

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = here('dist/');
const traces = here('../demo/traces/');

mkdirSync(dist, { recursive: true });
for (const entry of readdirSync(dist)) {
  if (entry !== GUEST) rmSync(dist + entry, { recursive: true });
}
await build({
  entryPoints: {
    main: here('src/main.tsx'),
    'replay-worker': here('src/replay/replay-worker.ts'),
    'guest-worker': here('src/guest/guest-worker.ts'),
    terminal: here('src/guest/terminal.ts'),
  },
  outdir: dist,
  bundle: true,
  external: NODE_MODULES,
  format: 'esm',
  target: 'es2023',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
  logOverride: { 'ignored-bare-import': 'silent' },
});
copyFileSync(here('src/index.html'), `${dist}index.html`);
const emulator = readFileSync(createRequire(import.meta.url).resolve('v86/build/v86.wasm'));
// Servers of files do not compress what they do not know.
writeFileSync(`${dist}v86.wasm.gz`, gzipSync(emulator, { level: 9 }));

const sizes = readdirSync(dist)
  .filter((file) => file !== GUEST && !file.endsWith('.map'))
  .map((file) => [file, sizeOf(file)]);
const isOfGuest = ([file]) => GUEST_FILES.includes(file);
const total = sum(sizes.filter((one) => !isOfGuest(one)));
const emulatorFile = { part: 'wasm', file: 'v86.wasm.gz', bytes: sizeOf('v86.wasm.gz') };
writeFileSync(`${dist}emulator.json`, JSON.stringify({ files: [emulatorFile] }));
const summary = [
  ...sizes,
  ['together', total],
  ['with what a guest needs besides its own files', total + sum(sizes.filter(isOfGuest))],
];
for (const [file, size] of summary) process.stdout.write(`${file}: ${size} bytes with gzip\n`);
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
// A page that asks for what is not there has an error in its console.
const guest = `${dist}${GUEST}/guest.json`;
if (!existsSync(guest)) {
  mkdirSync(dist + GUEST, { recursive: true });
  writeFileSync(guest, 'null');
}

function sizeOf(file) {
  const content = readFileSync(dist + file);
  return file.endsWith('.gz') ? content.length : gzipSync(content).length;
}

function sum(list) {
  return list.reduce((together, [, size]) => together + size, 0);
}
