// Runs programs side by side: one lane shows what its programs say as they say it, the other shows it when each has ended.
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { root } from './set-up.mjs';

/** How a lane steps back behind the other: what waits for nobody takes what the other leaves of the processors. */
const BEHIND = 10;

export function heading(text) {
  process.stdout.write(`\n== ${text}\n`);
}

/**
 * Runs one program to its end.
 *
 * @param options.name its heading
 * @param options.live whether its output comes as it is made; else all of it at the end, below the heading
 * @param options.behind whether it steps back behind others
 * @param options.environment what it runs in
 * @returns whether it ended with 0
 */
export async function runProgram([command, ...args], { name, live, behind, environment }) {
  const started = performance.now();
  if (live) heading(name);
  const child = spawn(command, args, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = [];
  const take = (chunk) => {
    if (live) process.stdout.write(chunk);
    else output.push(chunk);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const status = await new Promise((resolve) => {
    child.on('error', (error) => {
      take(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', resolve);
    if (behind && child.pid !== undefined) setPriority(child.pid, BEHIND);
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (!live) {
    heading(`${name}: ${seconds} s`);
    process.stdout.write(Buffer.concat(output.map((chunk) => Buffer.from(chunk))));
  } else heading(`${name} ended after ${seconds} s`);
  return status === 0;
}
