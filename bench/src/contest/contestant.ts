/** The contract Contestant: a program that times one kind of work, whatever it is written in. Types and docs only. */

/**
 * `PROGRAM WORK [key=value ...]` sets the work up and prints the line `ready`. For each line `run OPERATIONS` on standard
 * input it then does that many operations and prints the nanoseconds that they took, one integer. At the end of its input
 * it exits with 0. Work or keys that it does not know: one line on standard error, exit code 2.
 *
 * Set-up, and what the driver's side does to refill a queue, are the same for all contestants of a contest. What is inside
 * the timed region stands at the top of each of our works, in `contestants/`.
 */
export interface Contestant {
  /** Names it in errors. */
  readonly name: string;
  /**
   * @param operations at least 1
   * @returns nanoseconds
   * @throws BenchError that names the contestant, when it fails
   */
  run(operations: number): Promise<number>;
  /** Ends its input. @throws BenchError when it does not exit with 0 */
  close(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** How a contestant is started. */
export interface ContestantCommand {
  readonly name: string;
  /** The program and what stands before WORK. */
  readonly program: readonly string[];
  /** `WORK key=value ...` */
  readonly work: readonly string[];
}
