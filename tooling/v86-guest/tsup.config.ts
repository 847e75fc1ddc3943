import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { main: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  // It is TypeScript sources alone.
  noExternal: ['@viommu/debian-archive'],
  sourcemap: true,
  clean: true,
});
