/** LineBuffer: makes lines of bytes that come in pieces, up to a length. */

const NEWLINE = 10;

export class LineBuffer {
  readonly #maximum: number;
  readonly #lines: Buffer[] = [];
  #partial: Buffer[] = [];
  #partialLength = 0;
  /** A line was longer than the maximum; what comes after it is not looked at. */
  tooLong = false;

  /** @param maximum bytes of a line, without its end */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Lines that nobody has taken yet. */
  get count(): number {
    return this.#lines.length;
  }

  /** @param bytes are copied */
  add(bytes: Uint8Array): void {
    let from = 0;
    while (!this.tooLong && from < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, from);
      const end = newline < 0 ? bytes.length : newline;
      this.#partialLength += end - from;
      this.tooLong = this.#partialLength > this.#maximum;
      this.#partial.push(Buffer.from(bytes.subarray(from, end)));
      if (newline >= 0 && !this.tooLong) {
        this.#lines.push(Buffer.concat(this.#partial));
        this.#partial = [];
        this.#partialLength = 0;
      }
      from = end + 1;
    }
    if (this.tooLong) this.#partial = [];
  }

  /** The next line, as UTF-8. */
  take(): string | undefined {
    return this.#lines.shift()?.toString('utf8');
  }
}
