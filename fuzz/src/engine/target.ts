/** The contract FuzzTarget: what is fuzzed, and what must hold for every input. Types and docs only. */

export interface FuzzTarget {
  /**
   * Decodes the input, carries it out, and checks what must hold. Every byte string is an input. What it does depends on these
   * bytes alone, so that a finding can be shown again: nothing is left over from the inputs before.
   *
   * @returns what came of it in a few bits, from 0 to 65535: an input whose outcome is new is kept and mutated on
   * @throws whatever tells that something does not hold: an `InvariantError`, or what the code under test threw
   */
  run(input: Uint8Array): number;
}

/** A line of the table of targets. */
export interface TargetEntry {
  create(): FuzzTarget;
  /** The folders below `packages/` whose code counts as covered. */
  readonly packages: readonly string[];
}
