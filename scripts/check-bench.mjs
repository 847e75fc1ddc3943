// Fails when the benchmarks do not run through, or leave out a figure. It never fails on a time.
import { spawnSync } from 'node:child_process';
import { root } from './set-up.mjs';

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [`${root}/bench/dist/main.js`, '--quick', '--json'],
  { encoding: 'utf8', timeout: 300_000 },
);
const problems = status === 0 ? findProblems(stdout) : [`exit code ${status}`, stderr];
for (const problem of problems) process.stderr.write(`bench: ${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);

function findProblems(output) {
  const { machine, rows } = JSON.parse(output.trimEnd().split('\n').at(-1));
  const without = rows.filter(({ ours }) => !Number.isFinite(ours) || ours < 0);
  return [
    ...(typeof machine?.cpu === 'string' ? [] : ['the machine is not described']),
    ...(rows.length > 0 ? [] : ['there are no rows']),
    ...without.map(({ name }) => `${name} has no figure`),
  ];
}
