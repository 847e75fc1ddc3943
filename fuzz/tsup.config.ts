import { defineConfig } from 'tsup';

// The packages under test are dependencies, and so stay outside the bundle: what is fuzzed is their `dist`.
export default defineConfig({
  entry: { main: 'src/main.ts', worker: 'src/engine/worker.ts' },
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  clean: true,
});
