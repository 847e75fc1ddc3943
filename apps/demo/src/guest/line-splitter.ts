/** LineSplitter: cuts a stream of bytes into lines. */
import { StringDecoder } from 'node:string_decoder';

/** A longer line is taken in pieces, so that a guest that never ends one costs no memory. */
const LONGEST_LINE = 64 * 1024;

export class LineSplitter {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Buffer): void {
    const lines = (this.#pending + this.#decoder.write(chunk)).split('\n');
    this.#pending = lines.pop()!;
    for (const line of lines) this.#take(line.replaceAll('\r', ''));
    if (this.#pending.length > LONGEST_LINE) this.end();
  }

  /** Hands over what is left when no newline will follow. */
  end(): void {
    if (this.#pending !== '') this.#take(this.#pending.replaceAll('\r', ''));
    this.#pending = '';
  }
}
