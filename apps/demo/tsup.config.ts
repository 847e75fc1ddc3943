import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    main: 'src/main.ts',
    'server-thread': 'src/server/server-thread.ts',
    'v86-thread': 'src/v86/v86-thread.ts',
    'record-boots': 'src/trace/record-boots.ts',
    'soak-server': 'src/endurance/soak-server.ts',
  },
  format: 'esm',
  target: 'node20',
  // Fewer files to find and read: `viommu serve` listens sooner.
  noExternal: [/^@viommu\//],
  sourcemap: true,
  clean: true,
  esbuildOptions(options) {
    // Entries of the packages import their chunks for side effects that these do not have.
    options.logOverride = { 'ignored-bare-import': 'silent' };
  },
});
