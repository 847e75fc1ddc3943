/** Findings: telling one from another, and making their inputs shorter. */
import type { FuzzTarget } from './target.ts';

export interface Finding {
  /** What went wrong, and where. */
  readonly message: string;
  readonly input: Uint8Array;
}

const TRIES_MAX = 2000;

/** The message of what was thrown, and the stack below it. */
export function describeFailure(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

/** @returns undefined when all holds */
export function failureOf(target: FuzzTarget, input: Uint8Array): string | undefined {
  try {
    target.run(input);
    return undefined;
  } catch (error) {
    return describeFailure(error);
  }
}

/** What two failures have in common that are the same finding: the message but for its numbers, and where it came up. */
export function kindOf(failure: string): string {
  const [message = '', ...stack] = failure.split('\n');
  const place = stack.find((line) => line.trimStart().startsWith('at ')) ?? '';
  return `${message.replace(/\d+/g, '#')} ${place.trim()}`;
}

/**
 * Leaves out what the failure does not need, in ever smaller pieces.
 *
 * @param fails carries an input out, as {@link failureOf} does
 */
export function shorten(
  fails: (input: Uint8Array) => string | undefined,
  input: Uint8Array,
  failure: string,
): Uint8Array {
  const kind = kindOf(failure);
  let shortest: Uint8Array = input.slice();
  let tries = 0;
  for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < shortest.length && tries < TRIES_MAX; tries += 1) {
      const shorter = without(shortest, at, piece);
      const left = fails(shorter);
      if (left !== undefined && kindOf(left) === kind) shortest = shorter;
      else at += piece;
    }
  }
  return shortest;
}

function without(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + count)]);
}
