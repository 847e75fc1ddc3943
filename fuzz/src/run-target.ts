/** runTarget: has a thread fuzz one target, and watches that it goes on. */
import { Worker } from 'node:worker_threads';
import type { Finding } from './engine/finding.ts';
import { InputBuffer } from './engine/input-buffer.ts';
import type { WorkerFigures, WorkerMessage, WorkerOrder } from './engine/worker.ts';

/** An input that takes longer hangs. */
const HANG_MS = 1000;
const WATCH_MS = 100;

export interface RunOptions extends Omit<WorkerOrder, 'shared'> {
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress?: (inputs: number, seconds: number) => void;
}

export interface RunResult extends WorkerFigures {
  readonly findings: number;
  readonly seconds: number;
}

interface ThreadEnd {
  readonly figures: WorkerFigures;
  /** What the thread was at, when it did not come to its own end, and what became of it. */
  readonly stuck: Finding | undefined;
}

const NO_FIGURES: WorkerFigures = { inputs: 0, corpus: 0, blocks: 0, knownBlocks: 0 };

/**
 * A thread that hangs or dies is a finding, and another one goes on. That it hangs is tried again with this input alone, since
 * a busy machine can keep a thread waiting for a second.
 */
export async function runTarget(options: RunOptions): Promise<RunResult> {
  const { onFinding, onProgress, ...order } = options;
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  const found = new Map<string, Finding>();
  const report = (finding: Finding) => {
    if (found.has(finding.message)) return;
    found.set(finding.message, finding);
    onFinding(finding);
  };
  let total = NO_FIGURES;
  for (let round = 0; ; round += 1) {
    const milliseconds = Math.max(order.milliseconds - elapsed(), order.milliseconds === 0 ? 0 : 1);
    const seed = (order.seed + round) >>> 0;
    const before = total.inputs;
    const progress = (inputs: number) => onProgress?.(before + inputs, elapsed() / 1000);
    const { figures, stuck } = await runThread({ ...order, seed, milliseconds }, report, progress);
    total = { ...figures, inputs: before + figures.inputs };
    if (stuck === undefined) break;
    const isAlone = order.milliseconds === 0;
    const again = isAlone ? stuck : await tryAgain(order, stuck.input);
    if (again !== undefined) report(again);
    if (isAlone || elapsed() >= order.milliseconds) break;
  }
  return { ...total, findings: found.size, seconds: elapsed() / 1000 };
}

async function tryAgain(
  order: Omit<WorkerOrder, 'shared'>,
  input: Uint8Array,
): Promise<Finding | undefined> {
  let failed: Finding | undefined;
  const alone = { ...order, milliseconds: 0, seeds: [input] };
  const { stuck } = await runThread(alone, (finding) => {
    failed = finding;
  });
  return stuck ?? failed;
}

function runThread(
  order: Omit<WorkerOrder, 'shared'>,
  onFinding: (finding: Finding) => void,
  onProgress?: (inputs: number) => void,
): Promise<ThreadEnd> {
  const input = new InputBuffer();
  const workerData: WorkerOrder = { ...order, shared: input.shared };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  let figures = NO_FIGURES;
  return new Promise((resolve) => {
    const end = (message?: string) => {
      clearInterval(watch);
      const stuck = message === undefined ? undefined : { message, input: input.content.slice() };
      void worker.terminate();
      resolve({ figures, stuck });
    };
    const watch = watchOver(input, () => end(`an input takes longer than ${HANG_MS} ms`));
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'finding') onFinding(message.finding);
      else if (message.kind === 'done') end();
      else {
        figures = message.figures;
        onProgress?.(figures.inputs);
      }
    });
    worker.on('error', (error) => end(`the thread died: ${error.message}`));
  });
}

function watchOver(input: InputBuffer, onHang: () => void): NodeJS.Timeout {
  let seen = input.ticks;
  let since = performance.now();
  return setInterval(() => {
    const { ticks } = input;
    const isAtWork = ticks % 2 === 1;
    if (ticks !== seen || !isAtWork) {
      seen = ticks;
      since = performance.now();
    } else if (performance.now() - since > HANG_MS) onHang();
  }, WATCH_MS);
}
