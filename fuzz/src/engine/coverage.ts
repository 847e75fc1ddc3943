/** Coverage: which blocks of the packages under test ran, asked of the engine that runs them. */

import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector';
import type { CodeWatch } from './fuzzer.ts';

/** Of a thread that is not watched. */
export const NO_COVERAGE = { blocks: 0, knownBlocks: 0, look: () => false, keep() {} };

/** One file, by offsets into its text: 1 where something ran. */
interface Script {
  readonly covered: Uint8Array;
  readonly latest: Uint8Array;
  /** Where the blocks begin that the engine has told of so far. */
  readonly starts: Set<number>;
}

/**
 * Takes some milliseconds per look, and next to nothing in between, so it looks after each batch of inputs. The engine tells
 * how often each range of a function ran since the last look; of ranges inside each other the inner one counts.
 */
export class Coverage implements CodeWatch {
  readonly #session = new Session();
  readonly #isUnderTest: RegExp;
  readonly #scripts = new Map<string, Script>();

  /** @param packages folders below `packages/` */
  constructor(packages: readonly string[]) {
    this.#isUnderTest = new RegExp(`/packages/(${packages.join('|')})/dist/`);
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran, of those that the engine has told of. */
  get blocks(): number {
    let count = 0;
    for (const { starts, covered } of this.#scripts.values()) {
      for (const start of starts) count += covered[start]!;
    }
    return count;
  }

  get knownBlocks(): number {
    let count = 0;
    for (const { starts } of this.#scripts.values()) count += starts.size;
    return count;
  }

  look(): boolean {
    let isNew = false;
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      for (const { url, functions } of coverage.result) {
        if (this.#isUnderTest.test(url)) isNew = this.#paint(url, functions) || isNew;
      }
    });
    return isNew;
  }

  keep(): void {
    for (const { covered, latest } of this.#scripts.values()) {
      for (let at = 0; at < covered.length; at += 1) covered[at]! |= latest[at]!;
    }
  }

  #paint(url: string, functions: readonly Profiler.FunctionCoverage[]): boolean {
    const script = this.#scriptOf(url, functions);
    const { latest, covered, starts } = script;
    latest.fill(0);
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        latest.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        starts.add(startOffset);
      }
    }
    for (let at = 0; at < latest.length; at += 1) {
      if (latest[at]! > covered[at]!) return true;
    }
    return false;
  }

  /** Its text is as long as the last function that the engine has told of: one that never ran may be left out. */
  #scriptOf(url: string, functions: readonly Profiler.FunctionCoverage[]): Script {
    const length = Math.max(...functions.map(({ ranges }) => ranges[0]!.endOffset));
    const known = this.#scripts.get(url);
    if (known !== undefined && known.covered.length >= length) return known;
    const covered = new Uint8Array(length);
    if (known !== undefined) covered.set(known.covered);
    const script = {
      covered,
      latest: new Uint8Array(length),
      starts: known?.starts ?? new Set<number>(),
    };
    this.#scripts.set(url, script);
    return script;
  }
}
