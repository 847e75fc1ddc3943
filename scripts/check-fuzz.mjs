// Fails when a short run of the fuzzer finds something, hangs, or leaves out a figure. Each target has so many seconds, two at once.
// The seed is fixed, so that a failure is one of the change at hand; it says how the same run is had again.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { root } from './set-up.mjs';

const SECONDS = 20;
const SEED = 1;
const AT_ONCE = 2;
/** Threads start and end, an input that hangs is tried again, and other work may have the processors. */
const GRACE_SECONDS = 160;

/** One run. @returns whether all is well */
function fuzz(target) {
  const args = [target, `--seconds=${SECONDS}`, `--seed=${SEED}`];
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', `${root}/fuzz/dist/main.js`, ...args],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 1000 * (SECONDS + GRACE_SECONDS),
    },
  );
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  return new Promise((resolve) => {
    child.on('close', (status) => {
      process.stdout.write(output);
      const summary = output.trimEnd().split('\n').at(-1);
      const isWhole = /: [1-9]\d* inputs .* [1-9]\d* of \d+ blocks covered, 0 findings$/;
      const isWell = status === 0 && isWhole.test(summary);
      if (!isWell) {
        process.stderr.write(
          `${errors}fuzz: exit code ${status}; again: pnpm fuzz ${args.join(' ')}\n`,
        );
      }
      resolve(isWell);
    });
  });
}

// Each target has seeds.
const targets = readdirSync(`${root}/fuzz/corpus`).sort();
let isWell = true;
async function work() {
  for (let target = targets.shift(); target !== undefined; target = targets.shift()) {
    isWell = (await fuzz(target)) && isWell;
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
process.exit(isWell ? 0 : 1);
