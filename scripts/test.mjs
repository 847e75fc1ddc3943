// `npm test`: sets up, runs the unit, property, guest and browser tests, and says how many of each ran.
// Then every statement of the standard must have its row, with a test that ran (`tooling/conformance`).
// With `--check` it is `pnpm check`: format, lint, types, boundaries, unused code and package checks as well.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, pnpm, root } from './set-up.mjs';

const CHECKS = [
  ['format and lint', ['exec', 'biome', 'ci', '.']],
  ['types', ['exec', 'turbo', 'run', 'types', '--output-logs=errors-only']],
  ['import boundaries', ['run', '--silent', 'boundaries']],
  ['unused code', ['exec', 'knip']],
  ['package checks', ['exec', 'turbo', 'run', 'package:check', '--output-logs=errors-only']],
  ['file lengths', ['exec', 'node', 'scripts/check-file-lengths.mjs']],
  ['benchmarks run', ['exec', 'node', 'scripts/check-bench.mjs']],
  ['fuzzing finds nothing', ['exec', 'node', 'scripts/check-fuzz.mjs']],
];

let passed = 0;
let failed = 0;

function heading(text) {
  process.stdout.write(`\n== ${text}\n`);
}

/** Where vitest writes which tests of a project ran. */
function reportOf(project) {
  return join(tmpdir(), `viommu-${project}-${process.pid}.json`);
}

/** Runs one vitest project and adds its counts; a run that reported nothing counts as one failure. */
function runTests(project) {
  heading(`${project} tests`);
  const report = reportOf(project);
  const status = pnpm([
    'exec',
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests,
    };
  } catch {
    counts.failed = 1;
  }
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  passed += counts.passed;
  failed += counts.failed;
  return counts;
}

/** Whether each statement of the standard has its row, and the test that the row names ran: where all is checked, all must run. */
function checkConformance() {
  heading('statements of the standard');
  const reports = ['unit', 'guest'].map(reportOf).filter((report) => existsSync(report));
  const options = process.argv.includes('--check') ? ['--require-all'] : [];
  const program = join(root, 'tooling/conformance/dist/main.js');
  const { status } = spawnSync(process.execPath, [program, 'check', ...options, ...reports], {
    stdio: 'inherit',
  });
  if (status === 0) passed += 1;
  else failed += 1;
  for (const report of reports) rmSync(report, { force: true });
}

const started = process.hrtime.bigint();
install();
heading('build');
build();

if (process.argv.includes('--check')) {
  for (const [name, command] of CHECKS) {
    heading(name);
    if (pnpm(command) === 0) passed += 1;
    else failed += 1;
  }
}

const unit = runTests('unit');
const guest = runTests('guest');
const browser = runTests('browser');
rmSync(reportOf('browser'), { force: true });
checkConformance();

const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
heading(`summary after ${seconds} s (${root})`);
process.stdout.write(`unit and property tests: ${unit.passed} passed, ${unit.failed} failed\n`);
process.stdout.write(
  guest.passed + guest.failed === 0
    ? 'guest tests: 0 ran, skipped for the reason given above\n'
    : `guest tests: ${guest.passed + guest.failed} ran, ${guest.passed} passed, ${guest.failed} failed\n`,
);
process.stdout.write(
  browser.passed + browser.failed === 0
    ? 'browser tests: 0 ran, skipped for the reason given above\n'
    : `browser tests: ${browser.passed} passed, ${browser.failed} failed\n`,
);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
