/** Runs a probe in a process of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BenchError } from '../bench-error.ts';
import { PROBE_FLAGS, type ProbeAnswer } from '../probes/probe.ts';
import { programPath } from '../program-path.ts';

const run = promisify(execFile);

/** @throws BenchError that names the probe */
export async function runProbe(words: readonly string[]): Promise<ProbeAnswer> {
  const args = [...PROBE_FLAGS, '--enable-source-maps', programPath('probe'), ...words];
  try {
    const { stdout } = await run(process.execPath, args);
    return JSON.parse(stdout) as ProbeAnswer;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const [reason] = stderr.trim().split('\n').slice(-1);
    throw new BenchError(`probe ${words.join(' ')}: ${reason || message}`);
  }
}
