/** `viommu linux --json`, as a user starts it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** The last line of stdout as an object; everything that was printed when the command failed. */
export function runLinux(...args: string[]) {
  return runLinuxFor(280_000, ...args);
}

/** The same, for at most so many milliseconds. */
export function runLinuxFor(timeout: number, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'linux', '--json', ...args],
    { encoding: 'utf8', timeout },
  );
  if (status !== 0) throw new Error(`exit code ${status}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
}
