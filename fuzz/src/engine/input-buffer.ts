/** InputBuffer: the input that is being made or carried out, in memory that the watching thread sees, too. */

/** Of an input, in bytes. */
export const INPUT_MAX = 1024;
const HEADER_WORDS = 4;
const TICKS = 0;
const LENGTH = 1;

export class InputBuffer {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly #header: Int32Array;

  constructor(shared = new SharedArrayBuffer(HEADER_WORDS * 4 + INPUT_MAX)) {
    this.shared = shared;
    this.#header = new Int32Array(shared, 0, HEADER_WORDS);
    this.bytes = new Uint8Array(shared, HEADER_WORDS * 4, INPUT_MAX);
  }

  get length(): number {
    return this.#header[LENGTH]!;
  }

  set length(length: number) {
    this.#header[LENGTH] = length;
  }

  /** The input alone. */
  get content(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Cut to {@link INPUT_MAX} bytes. */
  set content(content: Uint8Array) {
    const kept = content.subarray(0, INPUT_MAX);
    this.bytes.set(kept);
    this.length = kept.length;
  }

  /** Goes up by one when an input begins and when it ends: odd while one is carried out. */
  get ticks(): number {
    return Atomics.load(this.#header, TICKS);
  }

  tick(): void {
    Atomics.add(this.#header, TICKS, 1);
  }
}
