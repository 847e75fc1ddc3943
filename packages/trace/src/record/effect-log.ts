/** The contract EffectLog: where recorded parts of a machine say what happens. Types and docs only. */
import type { TraceEffect, TraceOperation } from '../format/trace-events.ts';

/** An operation without its time, which the log knows. */
type Timeless<O> = O extends unknown ? Omit<O, 'time'> : never;
export type OperationToRecord = Timeless<TraceOperation>;

export interface EffectLog {
  /** Whether an operation is going on. */
  readonly isBusy: boolean;
  /** What the host does now, and what comes of it. */
  perform<V>(operation: OperationToRecord, act: () => V): V;
  /** The same for an operation that ends with a value, and is in the trace before what came of it even so. */
  performReading(read: () => number, operationOf: (value: number) => OperationToRecord): number;
  /** Something came of the operation that is going on. */
  effect(effect: TraceEffect): void;
}
