/** runTarget: has a thread fuzz one target, and watches that it goes on. */
import { Worker } from 'node:worker_threads';
import type { Finding } from './engine/finding.ts';
import { InputBuffer } from './engine/input-buffer.ts';
import type { WorkerEnd, WorkerFigures, WorkerMessage, WorkerOrder } from './engine/worker.ts';

/** An input hangs when it uses more of a processor's time, which on a busy machine is three times that of a quiet one. */
const HANG_MS = 3000;
/** Or when nothing comes of it for so long, whatever it waits for. */
const STANDSTILL_MS = 20_000;
const WATCH_MS = 100;

/** For this part of the time the thread is guided by which code runs: soon there is no news of it, and then it is in the way. */
const GUIDED_PART = 0.25;

type ThreadOrder = Omit<WorkerOrder, 'shared'>;

export interface RunOptions extends Omit<ThreadOrder, 'corpus' | 'isGuided'> {
  readonly onFinding: (finding: Finding) => void;
  readonly onProgress?: (inputs: number, seconds: number) => void;
}

export interface RunResult extends WorkerFigures {
  readonly findings: number;
  readonly seconds: number;
}

interface ThreadEnd {
  readonly figures: WorkerFigures;
  /** undefined when the thread did not come to its own end. */
  readonly end: WorkerEnd | undefined;
  /** What it was at then, and what became of it. */
  readonly stuck: Finding | undefined;
}

const NO_FIGURES: WorkerFigures = { inputs: 0, corpus: 0, blocks: 0, knownBlocks: 0 };

/**
 * One thread is guided, the next one goes on with what it found. One that hangs or dies is a finding, and another one goes on.
 * That it hangs is tried again with this input alone, since it may have been the engine's turn to collect garbage or to compile.
 */
export async function runTarget(options: RunOptions): Promise<RunResult> {
  const { onFinding, onProgress, ...rest } = options;
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  const messages = new Set<string>();
  const report = (finding: Finding) => {
    if (messages.has(finding.message)) return;
    messages.add(finding.message);
    onFinding(finding);
  };
  const guidedUntil = rest.milliseconds * GUIDED_PART;
  let order: ThreadOrder = { ...rest, corpus: [], isGuided: true };
  let total = NO_FIGURES;
  for (let isOver = false; !isOver; ) {
    const before = total.inputs;
    const progress = (inputs: number) => onProgress?.(before + inputs, elapsed() / 1000);
    const until = order.isGuided ? guidedUntil : rest.milliseconds;
    const milliseconds = Math.max(Math.ceil(until - elapsed()), 0);
    const { figures, end, stuck } = await runThread({ ...order, milliseconds }, report, progress);
    total = addFigures(total, figures);
    if (stuck !== undefined) {
      const again = rest.milliseconds === 0 ? stuck : await tryAgain(order, stuck.input);
      if (again !== undefined) report(again);
      // The next thread would not get past it either.
      const isOther = (seed: Uint8Array) => Buffer.compare(seed, stuck.input) !== 0;
      order = {
        ...order,
        seeds: order.seeds.filter(isOther),
        corpus: order.corpus.filter(isOther),
      };
    }
    const isGuided = elapsed() < guidedUntil;
    order = {
      ...order,
      isGuided,
      seed: (order.seed + 1) >>> 0,
      corpus: end?.corpus ?? order.corpus,
    };
    isOver = end?.isOver === true || elapsed() >= rest.milliseconds;
  }
  return { ...total, findings: messages.size, seconds: elapsed() / 1000 };
}

/** Only a guided thread knows blocks, and one that was stuck from the start knows nothing. */
function addFigures(total: WorkerFigures, figures: WorkerFigures): WorkerFigures {
  return {
    inputs: total.inputs + figures.inputs,
    corpus: Math.max(total.corpus, figures.corpus),
    blocks: Math.max(total.blocks, figures.blocks),
    knownBlocks: Math.max(total.knownBlocks, figures.knownBlocks),
  };
}

async function tryAgain(order: ThreadOrder, input: Uint8Array): Promise<Finding | undefined> {
  let failed: Finding | undefined;
  const alone = { ...order, milliseconds: 0, seeds: [input] };
  const { stuck } = await runThread(alone, (finding) => {
    failed = finding;
  });
  return stuck ?? failed;
}

function runThread(
  order: ThreadOrder,
  onFinding: (finding: Finding) => void,
  onProgress?: (inputs: number) => void,
): Promise<ThreadEnd> {
  const input = new InputBuffer();
  const workerData: WorkerOrder = { ...order, shared: input.shared };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  let figures = NO_FIGURES;
  return new Promise((resolve) => {
    const finish = (end: WorkerEnd | undefined, stuck?: Finding) => {
      clearInterval(watch);
      void worker.terminate();
      resolve({ figures, end, stuck });
    };
    const giveUp = (message: string) =>
      finish(undefined, { message, input: input.content.slice() });
    const watch = watchOver(input, () => giveUp(`an input takes longer than ${HANG_MS} ms`));
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'finding') onFinding(message.finding);
      else if (message.kind === 'done') finish(message);
      else {
        figures = message.figures;
        onProgress?.(figures.inputs);
      }
    });
    worker.on('error', (error) => giveUp(`the thread died: ${error.message}`));
  });
}

/** The thread that watches does next to nothing, so what the process uses is what the input uses. */
function watchOver(input: InputBuffer, onHang: () => void): NodeJS.Timeout {
  let seen = input.ticks;
  let since = performance.now();
  let usage = process.cpuUsage();
  return setInterval(() => {
    const { ticks } = input;
    const isAtWork = ticks % 2 === 1;
    if (ticks !== seen || !isAtWork) {
      seen = ticks;
      since = performance.now();
      usage = process.cpuUsage();
      return;
    }
    const { user, system } = process.cpuUsage(usage);
    const isHanging = user + system > 1000 * HANG_MS || performance.now() - since > STANDSTILL_MS;
    if (isHanging) onHang();
  }, WATCH_MS);
}
