/** Fuzzer: makes inputs, has them carried out, and keeps those that reach something new. */
import { Corpus } from './corpus.ts';
import { describeFailure, type Finding, kindOf, shorten } from './finding.ts';
import type { InputBuffer } from './input-buffer.ts';
import { mutate } from './mutators.ts';
import { Random, STATE_WORDS } from './random.ts';
import type { FuzzTarget } from './target.ts';

/** Inputs between two looks at the coverage, each of which takes some milliseconds. */
const BATCH = 512;
/**
 * So many inputs come before those that reach new code are looked for, which takes as long as two batches each: what about each
 * batch reaches is no news.
 */
const UNGUIDED = 4096;
/** Of this many inputs one is made from nothing. */
const FRESH_EVERY = 32;
const FRESH_LENGTH_MAX = 128;
/** Inputs of one batch that are looked for because they reached new code. */
const FOUND_MAX = 4;
/** Findings of different kinds after which a run ends. */
const FINDINGS_MAX = 8;
/** The code under test, or the target, keeps something from one input to the next. */
const PASSED_AGAIN = 'it failed once, and not when it was carried out again';

/** What tells which code ran. */
export interface CodeWatch {
  /** Whether code ran since the last look that had not run before {@link keep}. */
  look(): boolean;
  /** What the last look showed is not new from now on. */
  keep(): void;
}

export interface FuzzerOptions {
  readonly target: FuzzTarget;
  readonly coverage: CodeWatch;
  readonly input: InputBuffer;
  readonly seed: number;
  readonly onFinding: (finding: Finding) => void;
}

export class Fuzzer {
  inputs = 0;
  readonly corpus = new Corpus();
  readonly #target: FuzzTarget;
  readonly #coverage: CodeWatch;
  readonly #input: InputBuffer;
  readonly #random: Random;
  readonly #onFinding: (finding: Finding) => void;
  readonly #kinds = new Set<string>();
  /** Of the input that was carried out last. */
  #outcome = 0;
  /** Where the generator stood before each input of the batch and after the last, so that an input can be made again. */
  readonly #states = new Uint32Array((BATCH + 1) * STATE_WORDS);

  constructor({ target, coverage, input, seed, onFinding }: FuzzerOptions) {
    this.#target = target;
    this.#coverage = coverage;
    this.#input = input;
    this.#random = new Random(seed);
    this.#onFinding = onFinding;
  }

  get isDone(): boolean {
    return this.#kinds.size >= FINDINGS_MAX;
  }

  /**
   * Carries seeds out, and what was found before, and makes further inputs of them.
   *
   * @param found may give way to others later
   */
  seed(seeds: readonly Uint8Array[], found: readonly Uint8Array[] = []): void {
    for (const seed of seeds.length > 0 ? seeds : [new Uint8Array(1)]) this.corpus.addSeed(seed);
    for (const input of found) this.corpus.add(input);
    for (let index = 0; index < this.corpus.size; index += 1) {
      this.#input.content = this.corpus.at(index);
      this.#carryOut();
      this.inputs += 1;
    }
    this.#coverage.look();
    this.#coverage.keep();
  }

  /** Carries some inputs out, and keeps those that reached something new. */
  runBatch(): void {
    // What is kept is added afterwards, so that the inputs can be made again from the same corpus.
    const kept: Uint8Array[] = [];
    for (let index = 0; index < BATCH; index += 1) {
      this.#random.save(this.#states, index * STATE_WORDS);
      this.#make();
      if (this.#carryOut()) kept.push(this.#input.content.slice());
    }
    this.inputs += BATCH;
    this.#random.save(this.#states, BATCH * STATE_WORDS);
    kept.push(...this.#inputsToNewCode());
    this.#random.restore(this.#states, BATCH * STATE_WORDS);
    for (const input of kept) this.corpus.add(input);
  }

  /** Those inputs of the batch that reached new code, or the first few of them. */
  #inputsToNewCode(): Uint8Array[] {
    const kept: Uint8Array[] = [];
    for (let from = 0; kept.length < FOUND_MAX && this.#coverage.look(); ) {
      if (this.inputs < UNGUIDED) break;
      if (this.inputs < UNGUIDED + BATCH) {
        this.#coverage.keep();
        break;
      }
      const index = this.#firstToReach(from);
      if (index === undefined) break;
      kept.push(this.#input.content.slice());
      from = index + 1;
      this.#again(from, BATCH);
    }
    return kept;
  }

  /** The first input of the batch that reaches new code, which is then in the buffer; its code is not new any more. */
  #firstToReach(from: number): number | undefined {
    let low = from;
    for (let high = BATCH; high - low > 1; ) {
      const middle = (low + high) >>> 1;
      this.#again(low, middle);
      if (this.#coverage.look()) high = middle;
      else low = middle;
    }
    this.#again(low, low + 1);
    const isFound = this.#coverage.look();
    // What no input reaches by itself is not looked for again.
    if (!isFound) {
      this.#again(from, BATCH);
      this.#coverage.look();
    }
    this.#coverage.keep();
    return isFound ? low : undefined;
  }

  #again(from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      this.#random.restore(this.#states, index * STATE_WORDS);
      this.#make();
      this.#carryOut();
    }
  }

  #make(): void {
    const random = this.#random;
    const input = this.#input;
    const { size } = this.corpus;
    if (random.below(FRESH_EVERY) === 0) {
      input.length = 1 + random.below(FRESH_LENGTH_MAX);
      for (let at = 0; at < input.length; at += 1) input.bytes[at] = random.next();
      return;
    }
    input.content = this.corpus.at(random.below(size));
    mutate(input, random, this.corpus.at(random.below(size)));
  }

  /** @returns whether its outcome is new */
  #carryOut(): boolean {
    const failure = this.#fails(this.#input.content);
    if (failure === undefined) return this.corpus.isNewOutcome(this.#outcome);
    const kind = kindOf(failure);
    if (!this.#kinds.has(kind)) {
      this.#kinds.add(kind);
      this.#report(this.#input.content.slice(), failure);
    }
    return false;
  }

  /** @returns what went wrong, if anything did */
  #fails(input: Uint8Array): string | undefined {
    this.#input.tick();
    let failure: string | undefined;
    try {
      this.#outcome = this.#target.run(input);
    } catch (error) {
      failure = describeFailure(error);
    }
    this.#input.tick();
    return failure;
  }

  #report(input: Uint8Array, failure: string): void {
    const fails = (candidate: Uint8Array) => {
      this.#input.content = candidate;
      return this.#fails(this.#input.content);
    };
    const again = fails(input);
    if (again === undefined) {
      this.#onFinding({ message: `${PASSED_AGAIN}: ${failure}`, input });
      return;
    }
    const shortest = shorten(fails, input, again);
    this.#onFinding({ message: fails(shortest) ?? again, input: shortest });
    this.#input.content = input;
  }
}
