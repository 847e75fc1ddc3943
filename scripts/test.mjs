// `npm test`: sets up, runs the unit, property, guest, browser and v86 tests, and says how many of each ran.
// Then every statement of the standard must have its row, with a test that ran (`tooling/conformance`).
// With `--check` it is `pnpm check`: format, lint, types, boundaries, unused code and package checks as well.
//
// A guest under emulation keeps one processor busy, and a little of another. So guest tests run from the start, one after the other, and
// beside them, behind them in priority, everything else in its order; what is left runs in the lane that is through first. In CI it
// begins with the kernel of the guest for v86, which takes both processors for minutes and which nobody needs before.
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

const NONE = { passed: 0, failed: 0, skipped: 0 };

/** Of a failed test's message, in the summary. */
const FAILURE_LINES = 12;

const isCheck = process.argv.includes('--check');

/** Where tests that need parts must run, and what is missing of these is made. */
const isCi = Boolean(process.env.CI);
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
  let counts = NONE;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests,
    };
    failures.push(...failuresOf(project, result));
  } catch {
    counts = { ...NONE, failed: 1 };
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

/** Makes the guest for v86, unless it is in the cache. @returns whether it can be booted */
async function makeV86Guest(options) {
  const name = 'kernel of the guest for v86';
  const program = join(root, 'tooling/v86-guest/dist/main.js');
  const isMade = await runProgram([process.execPath, program], { ...options, name });
  count(name, isMade);
  return isMade;
}

/** The checks, then the unit tests. */
async function runRest(options) {
  for (const [name, command] of isCheck ? CHECKS : [])
    count(name, await runProgram(command, { ...options, name }));
  return runTests('unit', options);
}

/** Whether each statement of the standard has its row, and the test that the row names ran: where all is checked, all must run. */
async function checkConformance(options) {
  const reports = ['unit', 'guest', 'v86'].map(reportOf).filter((report) => existsSync(report));
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

const inFront = { environment, live: true, behind: false };
const behind = { environment, live: false, behind: true };

// Outside of CI the cache decides whether tests of this guest run.
const v86Guest = isCi ? makeV86Guest(behind) : Promise.resolve(true);

/** What runs last, in the lane that is through first: a browser and v86 take a processor of their own, too. */
const last = ['v86', 'browser'];
const lastCounts = { v86: NONE, browser: NONE };

async function runLast(options) {
  for (let project = last.shift(); project !== undefined; project = last.shift()) {
    // Without it each test would try to make it again.
    if (project === 'v86' && !(await v86Guest)) continue;
    lastCounts[project] = await runTests(project, options);
  }
}

async function runGuests() {
  const guest = await runTests('guest', inFront);
  await runLast(inFront);
  return guest;
}

async function runBehind() {
  await v86Guest;
  const unit = await runRest(behind);
  await runLast(behind);
  return unit;
}

const [guest, unit] = await Promise.all([runGuests(), runBehind()]);
rmSync(reportOf('browser'), { force: true });
await checkConformance({ environment, live: false, behind: false });

if (failures.length > 0) {
  heading('what failed');
  for (const failure of failures) process.stdout.write(`${failure}\n`);
}
const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
heading(`summary after ${seconds} s (${root})`);
process.stdout.write(`unit and property tests: ${unit.passed} passed, ${unit.failed} failed\n`);
for (const [name, { passed: right, failed: wrong }] of Object.entries({ guest, ...lastCounts })) {
  const ran = right + wrong;
  process.stdout.write(
    ran === 0
      ? `${name} tests: 0 ran, skipped for the reason given above\n`
      : `${name} tests: ${ran} ran, ${right} passed, ${wrong} failed\n`,
  );
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
