/** runFuzz: one target, or all by turns; findings as they come, and a line of figures at the end. */
import type { Finding } from './engine/finding.ts';
import { readInput, readSeeds, saveFinding } from './input-files.ts';
import { ALL_TARGETS, type FuzzOptions } from './options.ts';
import { type RunResult, runTarget } from './run-target.ts';
import { TARGETS } from './targets/targets.ts';

export interface FuzzOutput {
  print(text: string): void;
  /** What is no result. */
  progress(text: string): void;
}

const PROGRESS_SECONDS = 10;

/** @returns the number of findings */
export async function runFuzz(options: FuzzOptions, output: FuzzOutput): Promise<number> {
  const names = options.target === ALL_TARGETS ? Object.keys(TARGETS) : [options.target];
  const results: RunResult[] = [];
  for (const name of names) {
    const seconds = options.seconds / names.length;
    if (options.input === undefined) {
      output.progress(`fuzz ${name} --seconds ${seconds} --seed ${options.seed}`);
    }
    const result = await runOne(name, { ...options, seconds }, output);
    results.push(result);
    output.print(describe(name, result));
  }
  if (names.length > 1) output.print(describe(ALL_TARGETS, results.reduce(add)));
  return results.reduce((count, { findings }) => count + findings, 0);
}

function runOne(name: string, options: FuzzOptions, output: FuzzOutput): Promise<RunResult> {
  const { input, seconds, seed } = options;
  let next = PROGRESS_SECONDS;
  return runTarget({
    target: name,
    packages: TARGETS[name]!.packages,
    seed,
    seeds: input === undefined ? readSeeds(name) : [readInput(input)],
    milliseconds: input === undefined ? seconds * 1000 : 0,
    onFinding: (finding) => reportFinding(name, finding, options, output),
    onProgress: (inputs, elapsed) => {
      if (elapsed < next) return;
      next = elapsed + PROGRESS_SECONDS;
      output.progress(`${name}: ${inputs} inputs after ${Math.round(elapsed)} s`);
    },
  });
}

function reportFinding(
  name: string,
  finding: Finding,
  { input }: FuzzOptions,
  { print }: FuzzOutput,
): void {
  print(`${name}: ${finding.message}`);
  if (input !== undefined) return;
  print(`pnpm fuzz ${name} --input ${saveFinding(name, finding)}`);
}

/** The summary, in one line. */
function describe(name: string, result: RunResult): string {
  const { inputs, seconds, corpus, blocks, knownBlocks, findings } = result;
  return [
    `${name}: ${inputs} inputs in ${seconds.toFixed(1)} s`,
    `${Math.round(inputs / seconds)} per second`,
    `corpus ${corpus}`,
    `${blocks} of ${knownBlocks} blocks covered`,
    `${findings} findings`,
  ].join(', ');
}

function add(left: RunResult, right: RunResult): RunResult {
  return {
    inputs: left.inputs + right.inputs,
    seconds: left.seconds + right.seconds,
    corpus: left.corpus + right.corpus,
    blocks: left.blocks + right.blocks,
    knownBlocks: left.knownBlocks + right.knownBlocks,
    findings: left.findings + right.findings,
  };
}
