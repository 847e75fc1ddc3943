/** SparseBytes: bytes by address, of which only the pages that were written are kept. */
import { TraceError } from '../trace-error.ts';

const PAGE = 4096;

export interface SparseBytesOptions {
  /** What a page holds before it is written; zeros by default. `position` is a multiple of 4096. */
  readonly fill?: (position: number, page: Uint8Array) => void;
  /** Bytes to keep at most; without a limit by default. */
  readonly limit?: number;
}

export class SparseBytes {
  readonly #fill: SparseBytesOptions['fill'];
  readonly #pagesMax: number;
  readonly #pages = new Map<number, Uint8Array>();
  /** What was there last, and is kept nowhere. */
  readonly #unwritten = new Uint8Array(PAGE);
  #unwrittenPage = -1;

  constructor(options: SparseBytesOptions = {}) {
    this.#fill = options.fill;
    this.#pagesMax = (options.limit ?? Number.POSITIVE_INFINITY) / PAGE;
  }

  read(address: number, target: Uint8Array, targetOffset: number, length: number): void {
    this.#eachRun(address, length, (page, at, done, run) => {
      target.set(this.#look(page).subarray(at, at + run), targetOffset + done);
    });
  }

  /** @throws TraceError when it would keep more than the limit */
  write(address: number, source: Uint8Array, sourceOffset: number, length: number): void {
    this.#eachRun(address, length, (page, at, done, run) => {
      const from = sourceOffset + done;
      this.#own(page).set(source.subarray(from, from + run), at);
    });
  }

  /** Whether these bytes are there. */
  has(address: number, source: Uint8Array, sourceOffset: number, length: number): boolean {
    let same = true;
    this.#eachRun(address, length, (page, at, done, run) => {
      const bytes = this.#look(page);
      for (let index = 0; same && index < run; index += 1) {
        same = bytes[at + index] === source[sourceOffset + done + index];
      }
    });
    return same;
  }

  #eachRun(
    address: number,
    length: number,
    visit: (page: number, at: number, done: number, run: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const at = (address + done) % PAGE;
      const run = Math.min(length - done, PAGE - at);
      visit((address + done - at) / PAGE, at, done, run);
      done += run;
    }
  }

  #look(page: number): Uint8Array {
    const kept = this.#pages.get(page);
    if (kept !== undefined) return kept;
    if (page !== this.#unwrittenPage) {
      this.#unwrittenPage = page;
      this.#fillPage(page, this.#unwritten);
    }
    return this.#unwritten;
  }

  #own(page: number): Uint8Array {
    const kept = this.#pages.get(page);
    if (kept !== undefined) return kept;
    if (this.#pages.size >= this.#pagesMax) {
      throw new TraceError(
        `the trace needs more than ${this.#pagesMax * PAGE} bytes of memory: allow for more if it comes from a friend`,
      );
    }
    const bytes = new Uint8Array(PAGE);
    this.#fillPage(page, bytes);
    this.#pages.set(page, bytes);
    return bytes;
  }

  #fillPage(page: number, bytes: Uint8Array): void {
    if (this.#fill === undefined) bytes.fill(0);
    else this.#fill(page * PAGE, bytes);
  }
}
