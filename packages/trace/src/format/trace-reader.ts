/** TraceReader: a trace, chunk by chunk, as its header and its steps. */
import { TraceError } from '../trace-error.ts';
import { EventDecoder } from './event-decoder.ts';
import { isOperation } from './event-fields.ts';
import { headerOf } from './header.ts';
import type { TraceEffect, TraceHeader, TraceOperation, TraceStep } from './trace-events.ts';

/** Effects of one operation; a function does its work in bounded portions. */
const EFFECTS_MAX = 1 << 22;

export class TraceReader {
  header: TraceHeader | undefined;
  /** Whether the recording came to its own end. */
  isComplete = false;
  readonly #decoder = new EventDecoder();
  #operation: TraceOperation | undefined;
  #effects: TraceEffect[] = [];
  #index = 0;
  #time = 0;

  /**
   * Takes bytes that are not compressed any more, and gives the steps that they complete. A step is complete when the next one
   * begins.
   *
   * @throws TraceError
   */
  *push(chunk: Uint8Array): Generator<TraceStep> {
    this.#decoder.push(chunk);
    if (this.header === undefined) {
      const header = this.#decoder.header();
      if (header === undefined) return;
      this.header = headerOf(header);
    }
    for (;;) {
      const event = this.#decoder.event();
      if (event === undefined) return;
      if (this.isComplete) throw new TraceError('the trace is damaged: it goes on behind its end');
      if (isOperation(event)) {
        yield* this.#complete();
        this.#begin(event);
        continue;
      }
      if (this.#operation === undefined || this.#effects.length >= EFFECTS_MAX) {
        throw new TraceError(`the trace is damaged: ${event.kind} belongs to no operation`);
      }
      this.#effects.push(event);
    }
  }

  /**
   * There are no more bytes. The operation `end` makes no step; of a trace that has none, because its recorder was killed, the
   * last step may lack effects and is not given, see {@link isComplete}.
   *
   * @throws TraceError when there was not even a header, or there is something behind the end
   */
  finish(): void {
    if (this.header === undefined) throw new TraceError('the trace ends before its header does');
    if (this.isComplete && this.#decoder.waiting > 0) {
      throw new TraceError('the trace is damaged: it goes on behind its end');
    }
  }

  #begin(operation: TraceOperation): void {
    this.#time += operation.time;
    this.#operation = operation;
    this.#effects = [];
    this.isComplete = operation.kind === 'end';
  }

  *#complete(): Generator<TraceStep> {
    const operation = this.#operation;
    if (operation === undefined) return;
    yield { index: this.#index, time: this.#time, operation, effects: this.#effects };
    this.#index += 1;
  }
}
