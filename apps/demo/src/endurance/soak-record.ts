/** SoakRecord: what the soak run measures, interval by interval, and what it comes to. */
import { type ComparedRead, judgeFlat, judgeSteady, median, type Reading } from './judge-soak.ts';
import { descriptorsText, type ProcessUse, processUse } from './process-use.ts';
import type { SoakProcess } from './soak-process.ts';

/** One judgement in words. */
interface SoakCheck {
  readonly holds: boolean;
  readonly text: string;
}

export interface SoakSummary {
  readonly checks: readonly SoakCheck[];
  readonly rounds: number;
  readonly sessions: number;
  readonly fetchedBytes: number;
}

/** What the line through the second half of the readings may rise by: the engine's heap breathes. */
const HEAP = { absolute: 512 * 1024, relative: 0.05 };
const MAPPINGS = { absolute: 100, relative: 0 };
/** How much slower reads may be at the end, by themselves or beside a disk of QEMU's own. */
const LATENCY_GROWTH = 1.5;

export class SoakRecord {
  sessions = 0;
  readonly #server: SoakProcess;
  readonly #before: ProcessUse;
  readonly #onInterval: (text: string) => void;
  readonly #begin = performance.now();
  readonly #heap: Reading[] = [];
  readonly #mappings: Reading[] = [];
  readonly #reads: ComparedRead[] = [];
  /** Each different count that the server had at the end of a round. */
  readonly #descriptors = new Set<number>();
  #rounds = 0;
  #fetchedBytes = 0;
  /** Of the boot under way, so far. */
  #fetchedNow = 0;
  /** How many reads had been told at the last interval. */
  #readsBefore = 0;

  constructor(server: SoakProcess, before: ProcessUse, onInterval: (text: string) => void) {
    this.#server = server;
    this.#before = before;
    this.#onInterval = onInterval;
  }

  /** Takes what a guest says: at the end of a round it has the same devices as at the end of any other. */
  fact(text: string): void {
    const [word, , latency, reference, fetched] = text.split(' ');
    if (word === 'boot') this.#fetchedNow = 0;
    if (word !== 'soaked') return;
    this.#rounds += 1;
    this.#reads.push({ latency: Number(latency), reference: Number(reference) });
    this.#fetchedBytes += Number(fetched) - this.#fetchedNow;
    this.#fetchedNow = Number(fetched);
    this.#descriptors.add(countOf(processUse(this.#server.pid)));
  }

  /** @returns what ends it; the last interval is then told, too */
  sampleEvery(milliseconds: number): () => Promise<void> {
    let under: Promise<void> = Promise.resolve();
    let problem: unknown;
    const take = (): void => {
      under = under
        .then(() => this.#sample())
        .catch((error: unknown) => {
          problem ??= error;
        });
    };
    const timer = setInterval(take, milliseconds);
    return async () => {
      clearInterval(timer);
      take();
      await under;
      if (problem !== undefined) throw problem;
    };
  }

  summary(after: ProcessUse): SoakSummary {
    const heap = judgeFlat(this.#heap, HEAP);
    const mappings = judgeFlat(this.#mappings, MAPPINGS);
    const latency = judgeSteady(this.#reads, LATENCY_GROWTH);
    const counts = [...this.#descriptors].sort((one, other) => one - other);
    const { complaints } = this.#server;
    const checks = [
      {
        holds: heap.flat,
        text: `heap ${kibibytes(heap.mean)} on average, rise ${kibibytes(heap.rise)} of at most ${kibibytes(heap.bound)}`,
      },
      {
        holds: mappings.flat,
        text: `${mappings.mean.toFixed(0)} mappings, rise ${mappings.rise.toFixed(1)} of at most ${mappings.bound}`,
      },
      {
        holds: latency.steady,
        text: `read of 4 KiB in thirds of the run: ${latency.latency.map((time) => time.toFixed(0)).join(', ')} us, ${latency.ratio.map((ratio) => ratio.toFixed(2)).join(', ')} times that of QEMU's own disk; grown ${latency.latencyGrowth.toFixed(2)} and ${latency.ratioGrowth.toFixed(2)} times, one of them at most ${LATENCY_GROWTH}`,
      },
      {
        holds: counts.length === 1,
        text: `descriptors at the end of a round: ${counts.join(', ')}`,
      },
      {
        holds: descriptorsText(after) === descriptorsText(this.#before),
        text: `descriptors with nobody connected: ${descriptorsText(after)}; before: ${descriptorsText(this.#before)}`,
      },
      {
        holds: after.sharedMappings === 0,
        text: `${after.sharedMappings} mappings of a client's memory are left`,
      },
      {
        holds: complaints.length === 0,
        text: `${complaints.length} lines on the server's stderr${complaints.length === 0 ? '' : `: ${complaints[0]}`}`,
      },
    ];
    const { sessions } = this;
    return { checks, rounds: this.#rounds, sessions, fetchedBytes: this.#fetchedBytes };
  }

  async #sample(): Promise<void> {
    const { heap, resident } = await this.#server.memory();
    const use = processUse(this.#server.pid);
    const seconds = (performance.now() - this.#begin) / 1000;
    const latency = this.#latencyText(this.#readsBefore);
    this.#readsBefore = this.#reads.length;
    this.#heap.push({ seconds, value: heap });
    this.#mappings.push({ seconds, value: use.mappings });
    this.#onInterval(
      `${seconds.toFixed(0).padStart(5)} s  round ${this.#rounds}  read of 4 KiB ${latency}  fetched ${(this.#fetchedBytes / 1e6).toFixed(0)} MB  heap ${kibibytes(heap)}  resident ${kibibytes(resident)}  descriptors ${countOf(use)}  mappings ${use.mappings}`,
    );
  }

  /** Medians from this read on; a guest that was booting all the time has read nothing. */
  #latencyText(from: number): string {
    const reads = this.#reads.slice(from);
    if (reads.length === 0) return '-';
    const ours = median(reads.map(({ latency }) => latency));
    const theirs = median(reads.map(({ reference }) => reference));
    return `${ours.toFixed(0)} us (QEMU's own disk ${theirs.toFixed(0)} us)`;
  }
}

function countOf({ descriptors }: ProcessUse): number {
  return Object.values(descriptors).reduce((sum, count) => sum + count, 0);
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
