// Import rules: dependencies point down, packages are entered through their exports, test helpers stay in tests.
const MAY_IMPORT = {
  virtqueue: [],
  'linux-io': [],
  viot: [],
  vfio: [],
  'iommu-core': ['virtqueue'],
  'transport-pci': ['virtqueue'],
  'transport-mmio': ['virtqueue'],
  'mmio-windows': ['transport-mmio', 'transport-pci', 'virtqueue'],
  'iommu-driver': ['vfio', 'viot', 'virtqueue'],
  devices: ['linux-io', 'transport-pci', 'virtqueue'],
  'pviommu-sim': ['iommu-core', 'vfio', 'virtqueue'],
  machine: [
    'devices',
    'iommu-core',
    'mmio-windows',
    'pviommu-sim',
    'transport-mmio',
    'transport-pci',
    'vfio',
    'viot',
    'virtqueue',
  ],
  inspector: ['iommu-core', 'iommu-driver', 'machine', 'trace', 'transport-pci', 'virtqueue'],
  scenarios: [
    'devices',
    'inspector',
    'iommu-core',
    'iommu-driver',
    'machine',
    'mmio-windows',
    'transport-mmio',
    'transport-pci',
    'vfio',
    'viot',
    'virtqueue',
  ],
  trace: ['devices', 'machine', 'transport-pci', 'virtqueue'],
  v86: ['transport-pci', 'virtqueue'],
  'vfio-user': ['linux-io', 'transport-pci', 'virtqueue'],
};
/** Packages that may use the Node.js API, and where in them. */
const NODE_PATHS =
  '^(packages/linux-io/|packages/vfio-user/|packages/devices/src/node/|packages/viot/src/cli/|apps/|bench/|fuzz/)';
/** As dependency-cruiser names Node.js' own modules. */
const CORE_MODULES = `^(node:)?(${require('node:module').builtinModules.join('|')})$`;
const TEST_FILES = '\\.(test|bench)\\.ts$|/test/|/testing/|test-client|fixtures/';

const edges = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `${name}-points-down`,
  severity: 'error',
  comment: `packages/${name} may import only: ${allowed.join(', ') || 'nothing'}`,
  from: { path: `^packages/${name}/` },
  to: {
    path: '^(packages|apps|tooling)/',
    pathNot: `^packages/(${[name, ...allowed].join('|')})/`,
  },
}));

module.exports = {
  forbidden: [
    ...edges,
    {
      name: 'tooling-is-below-all',
      severity: 'error',
      from: { path: '^tooling/' },
      to: { path: '^(packages|apps|bench|examples|fuzz)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'through-exports',
      severity: 'error',
      comment: 'another package is imported by its name, never by a path into its sources',
      from: { path: '^(packages|apps|tooling)/([^/]+)/' },
      to: {
        path: '^(packages|apps|tooling)/[^/]+/',
        pathNot: '^$1/$2/',
        dependencyTypes: ['local'],
      },
    },
    {
      name: 'bench-examples-and-fuzz-through-exports',
      severity: 'error',
      comment:
        'what is measured, shown and fuzzed is what a user gets: packages are imported by their names',
      from: { path: '^(bench|examples|fuzz)/' },
      to: { path: '^(packages|apps|tooling)/', dependencyTypes: ['local'] },
    },
    {
      name: 'nothing-needs-bench-examples-or-fuzz',
      severity: 'error',
      from: { path: '^(packages|apps|tooling)/' },
      to: { path: '^(bench|examples|fuzz)/' },
    },
    {
      name: 'targets-over-the-engine',
      severity: 'error',
      comment: 'the engine knows no target; the worker finds it in the table',
      from: { path: '^fuzz/src/engine/', pathNot: '^fuzz/src/engine/worker' },
      to: { path: '^fuzz/src/(targets|models|memory|machines)/' },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      from: { path: '^(packages|apps|bench|examples|fuzz)/', pathNot: TEST_FILES },
      to: { path: '^packages/[^/]+/src/testing/' },
    },
    {
      name: 'no-node-api-in-browser-packages',
      severity: 'error',
      from: { path: '^packages/', pathNot: `${NODE_PATHS}|${TEST_FILES}` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-system-calls-in-browser-packages',
      severity: 'error',
      from: { path: '^packages/', pathNot: `${NODE_PATHS}|${TEST_FILES}` },
      to: { path: '^packages/linux-io/' },
    },
    {
      name: 'scenarios-run-in-a-browser',
      severity: 'error',
      comment: 'the scenarios, and all that they need, use nothing of Node.js',
      from: { path: '^packages/scenarios/', pathNot: TEST_FILES },
      to: { path: CORE_MODULES, reachable: true },
    },
    {
      name: 'the-page-runs-in-a-browser',
      severity: 'error',
      comment: 'the page, its worker and all that they need use nothing of Node.js',
      from: { path: '^apps/web/src/' },
      to: { path: CORE_MODULES, reachable: true },
    },
    {
      name: 'the-page-knows-messages',
      severity: 'error',
      comment:
        'views know devices by what they are told, so that a live machine can be shown as a trace is',
      from: { path: '^apps/web/src/(page|views)/' },
      to: {
        path: '^(apps/web/src/(replay/(?!replay-messages)|live/(?!live-source)|guest/(?!guest-session|experiments|terminal))|packages/(trace|machine|scenarios)/)',
      },
    },
    {
      name: 'nothing-needs-the-page',
      severity: 'error',
      from: { path: '^(packages|apps|tooling|bench|examples|fuzz)/', pathNot: '^apps/web/' },
      to: { path: '^apps/web/' },
    },
    {
      name: 'libraries-do-not-know-their-command',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: '^packages/[^/]+/src/cli/' },
      to: { path: '^packages/$1/src/cli/' },
    },
    {
      name: 'no-third-party-at-run-time',
      severity: 'error',
      comment: 'packages that run in a browser have no run-time dependency from outside',
      from: { path: '^packages/', pathNot: `${NODE_PATHS}|${TEST_FILES}` },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'unknown', 'undetermined'],
        pathNot: '^packages/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|tsup\\.config|vitest\\.config' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@viommu/source', 'import', 'node'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
