/** The thread that fuzzes one target: it tells of findings as they come, and of figures after each batch. */
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage, NO_COVERAGE } from './coverage.ts';
import { type Finding, failureOf } from './finding.ts';
import { Fuzzer } from './fuzzer.ts';
import { InputBuffer } from './input-buffer.ts';

/** What the thread is started with. */
export interface WorkerOrder {
  readonly target: string;
  readonly packages: readonly string[];
  readonly shared: SharedArrayBuffer;
  readonly seed: number;
  readonly seeds: readonly Uint8Array[];
  /** Further inputs to begin with, which earlier threads found. */
  readonly corpus: readonly Uint8Array[];
  /** Whether to look at which code runs. Code that tells of it takes up to twice the time. */
  readonly isGuided: boolean;
  /** Milliseconds for which to make inputs; 0 for the seeds alone, of which each is carried out as it is. */
  readonly milliseconds: number;
}

export interface WorkerFigures {
  readonly inputs: number;
  readonly corpus: number;
  readonly blocks: number;
  readonly knownBlocks: number;
}

export type WorkerMessage =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'figures'; readonly figures: WorkerFigures }
  | WorkerEnd;

export interface WorkerEnd {
  readonly kind: 'done';
  /** Without the seeds. */
  readonly corpus: readonly Uint8Array[];
  /** There are so many findings that no further thread is worth its time. */
  readonly isOver: boolean;
}

const order: WorkerOrder = workerData;
const tell = (message: WorkerMessage) => parentPort!.postMessage(message);

// Code that was compiled before tells of whole functions only, so the packages are loaded now.
const coverage = order.isGuided ? new Coverage(order.packages) : NO_COVERAGE;
const { TARGETS } = await import('../targets/targets.ts');
const target = TARGETS[order.target]!.create();
const input = new InputBuffer(order.shared);

tell(order.milliseconds === 0 ? replay() : fuzz());

function replay(): WorkerEnd {
  for (const seed of order.seeds) {
    input.content = seed;
    input.tick();
    const message = failureOf(target, input.content);
    input.tick();
    if (message !== undefined) tell({ kind: 'finding', finding: { message, input: seed } });
  }
  coverage.look();
  coverage.keep();
  tellFigures(order.seeds.length, order.seeds.length);
  return { kind: 'done', corpus: [], isOver: true };
}

function fuzz(): WorkerEnd {
  const end = performance.now() + order.milliseconds;
  const fuzzer = new Fuzzer({
    target,
    coverage,
    input,
    seed: order.seed,
    onFinding: (finding) => tell({ kind: 'finding', finding }),
  });
  fuzzer.seed(order.seeds, order.corpus);
  do {
    fuzzer.runBatch();
    tellFigures(fuzzer.inputs, fuzzer.corpus.size);
  } while (performance.now() < end && !fuzzer.isDone);
  return { kind: 'done', corpus: fuzzer.corpus.found, isOver: fuzzer.isDone };
}

function tellFigures(inputs: number, corpus: number): void {
  const { blocks, knownBlocks } = coverage;
  tell({ kind: 'figures', figures: { inputs, corpus, blocks, knownBlocks } });
}
