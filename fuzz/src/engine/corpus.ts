/** Corpus: the inputs that reached something new, from which further ones are made. */

/** Inputs; what comes then takes the place of an earlier one, but never of a seed. */
const CORPUS_MAX = 2000;
const OUTCOMES = 65536;

export class Corpus {
  readonly #inputs: Uint8Array[] = [];
  readonly #outcomes = new Uint8Array(OUTCOMES);
  #seeds = 0;
  #next = 0;

  get size(): number {
    return this.#inputs.length;
  }

  at(index: number): Uint8Array {
    return this.#inputs[index]!;
  }

  /** All but the seeds. */
  get found(): readonly Uint8Array[] {
    return this.#inputs.slice(this.#seeds);
  }

  /** Copies the input. To be called before {@link add}. */
  addSeed(input: Uint8Array): void {
    this.#inputs.push(input.slice());
    this.#seeds += 1;
    this.#next = this.#seeds;
  }

  /** Copies the input. */
  add(input: Uint8Array): void {
    if (input.length === 0) return;
    if (this.#inputs.length < CORPUS_MAX) {
      this.#inputs.push(input.slice());
      return;
    }
    this.#inputs[this.#next] = input.slice();
    this.#next = this.#next + 1 < CORPUS_MAX ? this.#next + 1 : this.#seeds;
  }

  /** @param outcome as a target gives it. @returns whether none had it before */
  isNewOutcome(outcome: number): boolean {
    const isNew = this.#outcomes[outcome % OUTCOMES] === 0;
    this.#outcomes[outcome % OUTCOMES] = 1;
    return isNew;
  }
}
