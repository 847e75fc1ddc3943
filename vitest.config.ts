import { defineConfig } from 'vitest/config';

const sources = { conditions: ['@viommu/source'] };
const resolution = { resolve: sources, ssr: { resolve: sources } };

export default defineConfig({
  test: {
    // One less by default, which is one of two.
    maxWorkers: '100%',
    projects: [
      {
        ...resolution,
        test: {
          name: 'unit',
          // Property tests take a second; on a machine that does other work, ten.
          testTimeout: 30_000,
          include: [
            '{packages,apps,tooling}/*/src/**/*.test.ts',
            '{bench,examples,fuzz}/src/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
        },
      },
      {
        ...resolution,
        test: {
          name: 'guest',
          include: ['apps/*/test/**/*.guest.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        ...resolution,
        test: {
          name: 'v86',
          include: ['apps/*/test/**/*.v86.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
      {
        ...resolution,
        test: {
          name: 'browser',
          include: ['apps/*/test/**/*.browser.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
