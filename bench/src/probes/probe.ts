/** What a probe answers, and the functions that its process has. */
import { BenchError } from '../bench-error.ts';

export interface ProbeAnswer {
  readonly value: number;
  /** What one must know about the value; empty for nothing. */
  readonly note: string;
}

/** Flags of Node.js with which a probe is started: gc() is there, and comes by itself only after 128 MiB. */
export const PROBE_FLAGS = [
  '--expose-gc',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
] as const;

/** Collects all garbage, array buffers included, which are freed by another thread. */
export async function collectGarbage(): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new BenchError('start the probe with --expose-gc');
  for (let round = 0; round < 3; round += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
