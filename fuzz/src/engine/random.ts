/** Random: a small deterministic generator (sfc32) whose state can be noted and restored, so that each input can be made again. */

/** Words of its state. */
export const STATE_WORDS = 4;
/** Numbers after which a seed has spread over the state. */
const WARM_UP = 12;

export class Random {
  readonly #state = new Uint32Array(STATE_WORDS);

  /** @param seed from 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#state.set([seed, 0x9e37_79b9, ~seed, 1]);
    for (let round = 0; round < WARM_UP; round += 1) this.next();
  }

  /** From 0 to 2^32 - 1. */
  next(): number {
    const state = this.#state;
    const [a, b, c, counter] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const sum = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  }

  /** From 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  save(target: Uint32Array, offset: number): void {
    target.set(this.#state, offset);
  }

  restore(source: Uint32Array, offset: number): void {
    for (let word = 0; word < STATE_WORDS; word += 1) this.#state[word] = source[offset + word]!;
  }
}
