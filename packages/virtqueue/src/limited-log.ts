/** LimitedLog: says in one line now and then, with a count, what would else be a line each time. */

/** Node.js, browsers and workers have it. */
declare const performance: { now(): number };

const QUIET_MILLISECONDS = 10_000;

/** For one kind of trouble that whoever is served can bring about as often as it likes. */
export class LimitedLog {
  readonly #write: (message: string) => void;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #last = '';
  #untold = 0;

  /** @param write a method of a `Logger` */
  constructor(write: (message: string) => void) {
    this.#write = write;
  }

  /** Written at once when nothing was for 10 seconds, else counted. */
  report(message: string): void {
    this.#last = message;
    const now = performance.now();
    if (now < this.#quietUntil) {
      this.#untold += 1;
      return;
    }
    this.#quietUntil = now + QUIET_MILLISECONDS;
    const count = this.#untold;
    this.#untold = 0;
    this.#write(count === 0 ? message : `${message} (and ${count} times before, untold)`);
  }

  /** Writes what was counted and is not written; to be called when what can bring it about ends. */
  settle(): void {
    if (this.#untold === 0) return;
    this.#write(`${this.#last} (${this.#untold} times more)`);
    this.#untold = 0;
  }
}
