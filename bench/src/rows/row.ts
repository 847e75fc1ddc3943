/** The contract Row: one line of the results, and how it is measured. Types and docs only. */
import type { PeerName } from '../peers/peer-programs.ts';

/** Nanoseconds per operation of two contestants, by turns. */
export interface ContestRow {
  readonly kind: 'contest';
  readonly name: string;
  /** What is counted, as in "ns per chain". */
  readonly unit: string;
  /** The work that ours does: WORK key=value ... */
  readonly work: readonly string[];
  /** Who does the same work, or another work of ours beside which it is held; nobody when undefined. */
  readonly theirs?: PeerName | readonly string[];
  /** The largest ratio of the medians, ours to theirs, that meets the target; without one the row informs. */
  readonly target?: number;
  /** Operations come in multiples of this. */
  readonly multiple: number;
}

/** A contest of servers: a client, one of the peers, asks ours and theirs by turns. Without the peers there is no result. */
export interface ServedRow {
  readonly kind: 'served';
  readonly name: string;
  /** What is counted, as in "ns per read". */
  readonly unit: string;
  /** The client's work, to which the key `socket` is added. */
  readonly work: readonly string[];
  readonly client: PeerName;
  readonly theirs: PeerName;
  /** The largest ratio of the medians, ours to theirs, that meets the target. */
  readonly target: number;
  /** Operations come in multiples of this. */
  readonly multiple: number;
}

export interface ValueOptions {
  readonly quick: boolean;
}

export interface Value {
  readonly value: number;
  /** What it is beside another of ours. */
  readonly theirs?: number;
  /** What one must know about it; empty for nothing. */
  readonly note: string;
  /** How many measurements stand behind it. */
  readonly runs: number;
}

/** Something that is no time. */
export interface ValueRow {
  readonly kind: 'value';
  readonly name: string;
  readonly unit: string;
  /** What the value shall be at most; without one the row informs. */
  readonly target?: number;
  /** Values up to this meet the target, where measuring cannot hit it exactly; the target itself by default. */
  readonly metUpTo?: number;
  /** @throws BenchError */
  measure(options: ValueOptions): Promise<Value>;
}

export type Row = ContestRow | ServedRow | ValueRow;
