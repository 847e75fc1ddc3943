/** InputReader: takes an input apart; behind its end there are zeroes, so that every byte string can be decoded. */

export class InputReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#at < this.#bytes.length ? this.#bytes[this.#at]! : 0;
    this.#at += 1;
    return value;
  }

  /** Little-endian, as all that is wider. */
  word16(): number {
    return this.byte() | (this.byte() << 8);
  }

  word32(): number {
    return this.word16() + this.word16() * 2 ** 16;
  }

  word64(): bigint {
    return BigInt(this.word32()) | (BigInt(this.word32()) << 32n);
  }

  /** One of the choices, by one byte. */
  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.byte() % choices.length]!;
  }
}
