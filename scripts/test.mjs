// `npm test`: sets up, runs the unit, property, guest and browser tests, and says how many of each ran.
// Then every statement of the standard must have its row, with a test that ran (`tooling/conformance`).
// With `--check` it is `pnpm check`: format, lint, types, boundaries, unused code and package checks as well.
//
// A guest under emulation keeps one processor busy, and a little of another. So guest tests run from the start, one after the other, and
// beside them, behind them in priority, everything else in its order.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, runProgram } from './lanes.mjs';
import { build, install, pnpmEnvironment, root } from './set-up.mjs';

const CHECKS = [
  ['format and lint', ['biome', 'ci', '.']],
  ['types', ['pnpm', 'run', '--silent', 'types']],
  ['import boundaries', ['pnpm', 'run', '--silent', 'boundaries']],
  ['unused code', ['knip']],
  ['package checks', ['node', 'scripts/check-packages.mjs']],
  ['tarballs of what is built', ['node', 'scripts/check-tarballs.mjs', '--built']],
  ['install scripts', ['node', 'scripts/check-install-scripts.mjs']],
  ['API reference', ['node', 'scripts/api-reference.mjs']],
  ['pictures in READMEs', ['node', 'scripts/pictures.mjs', '--check']],
  ['file lengths', ['node', 'scripts/check-file-lengths.mjs']],
  ['benchmarks run', ['node', 'scripts/check-bench.mjs']],
  ['fuzzing finds nothing', ['node', 'scripts/check-fuzz.mjs']],
];

/** Of a failed test's message, in the summary. */
const FAILURE_LINES = 12;

const isCheck = process.argv.includes('--check');
let passed = 0;
let failed = 0;

/** What failed, to be said once more where everybody looks: at the end. */
const failures = [];

function count(name, hasPassed) {
  if (hasPassed) {
    passed += 1;
    return;
  }
  failed += 1;
  failures.push(name);
}

/** The tests of a report that failed, each with the beginning of its message. */
function failuresOf(project, result) {
  return result.testResults.flatMap(({ assertionResults, name, message }) => {
    const tests = assertionResults.filter(({ status }) => status === 'failed');
    // A file that could not be loaded has no tests.
    if (tests.length === 0 && message) return [`${project}: ${name}: ${message}`];
    return tests.map(({ fullName, failureMessages }) => {
      const lines = (failureMessages[0] ?? '').split('\n').slice(0, FAILURE_LINES);
      return [`${project}: ${fullName}`, ...lines].join('\n    ');
    });
  });
}

/** Where vitest writes which tests of a project ran. */
function reportOf(project) {
  return join(tmpdir(), `viommu-${project}-${process.pid}.json`);
}

/** Runs one vitest project and adds its counts; a run that reported nothing counts as one failure. */
async function runTests(project, options) {
  const report = reportOf(project);
  const hasPassed = await runProgram(
    [
      'vitest',
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { ...options, name: `${project} tests` },
  );
  const failuresBefore = failures.length;
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests,
    };
    failures.push(...failuresOf(project, result));
  } catch {
    counts.failed = 1;
    failures.push(`${project}: no report of the tests`);
  }
  if (!hasPassed && counts.failed === 0) {
    counts.failed = 1;
    if (failures.length === failuresBefore) failures.push(`${project}: vitest failed, no test did`);
  }
  passed += counts.passed;
  failed += counts.failed;
  return counts;
}

/** The checks, then the unit tests. */
async function runRest(options) {
  for (const [name, command] of isCheck ? CHECKS : [])
    count(name, await runProgram(command, { ...options, name }));
  return runTests('unit', options);
}

/** Whether each statement of the standard has its row, and the test that the row names ran: where all is checked, all must run. */
async function checkConformance(options) {
  const reports = ['unit', 'guest'].map(reportOf).filter((report) => existsSync(report));
  const program = join(root, 'tooling/conformance/dist/main.js');
  const all = isCheck ? ['--require-all'] : [];
  const command = [process.execPath, program, 'check', ...all, ...reports];
  const name = 'statements of the standard';
  count(name, await runProgram(command, { ...options, name }));
  for (const report of reports) rmSync(report, { force: true });
}

const started = process.hrtime.bigint();
install();
heading('build');
build();

// Their output goes through a pipe.
const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
const environment = { ...colour, ...pnpmEnvironment() };

/** A browser takes a processor of its own, too. */
async function runGuests(options) {
  const guest = await runTests('guest', options);
  return { guest, browser: await runTests('browser', options) };
}

const [{ guest, browser }, unit] = await Promise.all([
  runGuests({ environment, live: true, behind: false }),
  runRest({ environment, live: false, behind: true }),
]);
rmSync(reportOf('browser'), { force: true });
await checkConformance({ environment, live: false, behind: false });

if (failures.length > 0) {
  heading('what failed');
  for (const failure of failures) process.stdout.write(`${failure}\n`);
}
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
