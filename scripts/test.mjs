// `npm test`: sets up, runs the unit, property and guest tests, and says how many of each ran.
// With `--check` it is `pnpm check`: format, lint, types, boundaries, unused code and package checks as well.
import { readFileSync, rmSync } from 'node:fs';
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

/** Runs one vitest project and adds its counts; a run that reported nothing counts as one failure. */
function runTests(project) {
  heading(`${project} tests`);
  const report = join(tmpdir(), `viommu-${project}-${process.pid}.json`);
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
  rmSync(report, { force: true });
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  passed += counts.passed;
  failed += counts.failed;
  return counts;
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

const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
heading(`summary after ${seconds} s (${root})`);
process.stdout.write(`unit and property tests: ${unit.passed} passed, ${unit.failed} failed\n`);
process.stdout.write(
  guest.passed + guest.failed === 0
    ? 'guest tests: 0 ran, skipped for the reason given above\n'
    : `guest tests: ${guest.passed + guest.failed} ran, ${guest.passed} passed, ${guest.failed} failed\n`,
);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
