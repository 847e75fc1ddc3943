/** EffectScript: what must come of the operation that is replayed, in order. */
import type { TraceEffect, TraceStep } from '../format/trace-events.ts';
import { describeEffect, TraceDivergence } from './trace-divergence.ts';

type Kind = TraceEffect['kind'];
type Effect<K extends Kind> = Extract<TraceEffect, { kind: K }>;

export class EffectScript {
  #step: TraceStep | undefined;
  #next = 0;
  /** The first one. A device that is told that its disk failed goes on, whatever the reason. */
  #divergence: TraceDivergence | undefined;

  /** Begins an operation. */
  begin(step: TraceStep): void {
    this.#step = step;
    this.#next = 0;
  }

  /** Ends it. @throws TraceDivergence when there was one, or the trace has more */
  end(): void {
    if (this.#divergence !== undefined) throw this.#divergence;
    const left = this.peek();
    if (left !== undefined) this.diverge(describeEffect(left), 'nothing more');
  }

  /** The next effect. */
  peek(): TraceEffect | undefined {
    return this.#step?.effects[this.#next];
  }

  /**
   * Takes the next effect if it is one of these kinds.
   *
   * @param actual what happens now
   * @throws TraceDivergence when it is another one, or there is none
   */
  take<K extends Kind>(kinds: readonly K[], actual: () => string): Effect<K> {
    const effect = this.peek();
    if (effect === undefined || !isOneOf(effect, kinds)) {
      this.diverge(describeEffect(effect), actual());
    }
    this.#next += 1;
    return effect;
  }

  /** Takes the next effect, which must be this one in every field. */
  expect(actual: TraceEffect): void {
    const expected = this.peek();
    const said = describeEffect(actual);
    if (expected === undefined || !isSame(expected, actual)) {
      this.diverge(describeEffect(expected), said);
    }
    this.#next += 1;
  }

  diverge(expected: string, actual: string): never {
    const step = this.#step;
    if (step === undefined) throw new Error(`${actual} before anything was replayed`);
    this.#divergence ??= new TraceDivergence(step, expected, actual);
    throw this.#divergence;
  }
}

function isOneOf<K extends Kind>(effect: TraceEffect, kinds: readonly K[]): effect is Effect<K> {
  return (kinds as readonly Kind[]).includes(effect.kind);
}

function isSame(expected: TraceEffect, actual: TraceEffect): boolean {
  const left = Object.entries(expected);
  const right: Readonly<Record<string, unknown>> = { ...actual };
  return (
    left.length === Object.keys(right).length &&
    left.every(([name, value]) => isSameValue(value, right[name]))
  );
}

function isSameValue(left: unknown, right: unknown): boolean {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return left === right;
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
