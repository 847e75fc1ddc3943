// Fails when a short run of the fuzzer finds something, hangs, or leaves out a figure. All targets together have so many seconds.
// The seed is fixed, so that a failure is one of the change at hand; it says how the same run is had again.
import { spawnSync } from 'node:child_process';
import { root } from './set-up.mjs';

const SECONDS = 25;
const SEED = 1;
/** Threads start and end, and an input that hangs is tried again. */
const GRACE_SECONDS = 100;

const { status, stdout } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    `${root}/fuzz/dist/main.js`,
    'all',
    `--seconds=${SECONDS}`,
    `--seed=${SEED}`,
  ],
  {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 1000 * (SECONDS + GRACE_SECONDS),
  },
);
process.stdout.write(stdout);
const summary = stdout.trimEnd().split('\n').at(-1);
const figures = summary.match(
  /^all: ([1-9]\d*) inputs .* ([1-9]\d*) of \d+ blocks covered, 0 findings$/,
);
if (status !== 0 || figures === null) {
  process.stderr.write(
    `fuzz: exit code ${status}; again: pnpm fuzz all --seconds ${SECONDS} --seed ${SEED}\n`,
  );
  process.exit(1);
}
