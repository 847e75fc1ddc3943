import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { main: 'src/main.ts' },
  format: 'esm',
  target: 'node20',
  // They are TypeScript sources alone.
  noExternal: ['@viommu/debian-archive', '@viommu/initramfs'],
  sourcemap: true,
  clean: true,
});
