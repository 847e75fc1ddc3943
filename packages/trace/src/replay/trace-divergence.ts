/** TraceDivergence: fresh devices did not do what those did that were recorded. */
import type { TraceEffect, TraceStep } from '../format/trace-events.ts';

export class TraceDivergence extends Error {
  /** The operation at which it shows, with what came of it then. */
  readonly step: TraceStep;
  /** What the trace has, in the same words as {@link actual}. */
  readonly expected: string;
  readonly actual: string;

  constructor(step: TraceStep, expected: string, actual: string) {
    const { index, operation } = step;
    super(
      `operation ${index} (${operation.kind}): the trace has ${expected}, and now it is ${actual}`,
    );
    this.name = 'TraceDivergence';
    this.step = step;
    this.expected = expected;
    this.actual = actual;
  }
}

/** An effect in a few words; long bytes are cut. */
export function describeEffect(effect: TraceEffect | undefined): string {
  if (effect === undefined) return 'nothing more';
  const { kind, ...fields } = effect;
  const parts = Object.entries(fields).map(
    ([name, value]) => `${name} ${describeField(name, value)}`,
  );
  return [kind, parts.join(', ')].filter((part) => part !== '').join(': ');
}

const LONGEST_BYTES = 16;

function describeField(name: string, value: unknown): string {
  if (value instanceof Uint8Array) {
    const hex = Array.from(value.subarray(0, LONGEST_BYTES), (byte) =>
      byte.toString(16).padStart(2, '0'),
    );
    const more = value.length > LONGEST_BYTES ? ` and ${value.length - LONGEST_BYTES} more` : '';
    return `${hex.join(' ')}${more}`;
  }
  if (name === 'address' || name === 'sum') return `0x${Number(value).toString(16)}`;
  return String(value);
}
