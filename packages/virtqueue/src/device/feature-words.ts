/** FeatureWords: feature bits as the 32-bit words in which transports read and write them. */

const WORDS = 4;

export class FeatureWords {
  readonly #words = new Uint32Array(WORDS);

  constructor(mask: bigint) {
    this.mask = mask;
  }

  /** 0 for a word beyond the last. */
  read(select: number): number {
    return this.#words[select] ?? 0;
  }

  write(select: number, value: number): void {
    if (select < WORDS) this.#words[select] = value;
  }

  clear(): void {
    this.#words.fill(0);
  }

  get mask(): bigint {
    let mask = 0n;
    for (let index = WORDS - 1; index >= 0; index -= 1) {
      mask = (mask << 32n) | BigInt(this.#words[index]!);
    }
    return mask;
  }

  set mask(mask: bigint) {
    for (let index = 0; index < WORDS; index += 1) {
      this.#words[index] = Number((mask >> BigInt(32 * index)) & 0xffff_ffffn);
    }
  }
}
