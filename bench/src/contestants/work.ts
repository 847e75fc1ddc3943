/** The contract Work: what our contestant times. Types and docs only, but for the keys of the command line. */
import { BenchError } from '../bench-error.ts';

/** One kind of work, set up. */
export interface Work {
  /** Depends on all results, so that nothing is optimised away. */
  readonly sink: number;
  /**
   * Does that many operations.
   *
   * @returns nanoseconds of what is timed
   * @throws BenchError when it finds that something was not done: figures of that would mean nothing
   */
  run(operations: number): number;
}

export type WorkFactory = (keys: Keys) => Work;

/** The `key=value` arguments of one work. */
export class Keys {
  readonly #values = new Map<string, string>();

  /** @throws BenchError */
  constructor(words: readonly string[]) {
    for (const word of words) {
      const [key = '', value] = word.split('=');
      if (value === undefined) throw new BenchError(`"${word}" is no key=value`);
      this.#values.set(key, value);
    }
  }

  /** @throws BenchError when the value is none of `choices`, the first of which is the default */
  choice<Choice extends string>(key: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.#take(key) ?? choices[0];
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new BenchError(`${key}=${value}: choose ${choices.join(', ')}`);
    return choice;
  }

  /** @throws BenchError when it is missing */
  text(key: string): string {
    const value = this.#take(key);
    if (value === undefined) throw new BenchError(`${key}= is missing`);
    return value;
  }

  /** @throws BenchError when it is missing or no whole number */
  count(key: string): number {
    const text = this.text(key);
    if (!/^\d+$/.test(text)) throw new BenchError(`${key}=${text}: give a whole number`);
    return Number(text);
  }

  /** Called when a work has taken its keys. @throws BenchError when one is left */
  finish(): void {
    const [left] = this.#values.keys();
    if (left !== undefined) throw new BenchError(`unknown key ${left}`);
  }

  #take(key: string): string | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }
}

/** Nanoseconds that a function takes. */
export function timed(body: () => void): number {
  const start = process.hrtime.bigint();
  body();
  return Number(process.hrtime.bigint() - start);
}
