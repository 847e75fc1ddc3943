import { defineConfig } from 'tsup';

// The packages under test are dependencies, and so stay outside the bundle: what is measured is their `dist`.
export default defineConfig({
  entry: {
    main: 'src/main.ts',
    contestant: 'src/contestants/main.ts',
    probe: 'src/probes/main.ts',
  },
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  // As the packages are built: rejected designs have their constants in place, too.
  minifySyntax: true,
  clean: true,
});
