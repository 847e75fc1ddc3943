/** The contract Scan: one cost against one size, and what a scan came to. Types and docs only. */
import type { Spread } from '../contest/statistics.ts';

/** One line of a plot: a cost at each size. */
export interface Series {
  readonly name: string;
  /** Bytes are measured by a probe, once; nanoseconds per operation by a contest of all sizes. */
  readonly measure: 'time' | 'bytes';
  /** WORK key=value ..., or the words of the probe. */
  words(size: number): readonly string[];
  /** Operations come in multiples of this; 1 by default. */
  readonly multiple?: number;
}

export interface Scan {
  /** Names the plot's file, and is what `--only` looks at. */
  readonly name: string;
  readonly title: string;
  /** What is on the x axis, with its unit. */
  readonly size: string;
  /** What is on the y axis. */
  readonly unit: string;
  /** Rising. */
  readonly sizes: readonly number[];
  readonly series: readonly Series[];
}

interface SeriesResult {
  readonly name: string;
  /** By index into the scan's sizes. */
  readonly costs: readonly Spread[];
}

export interface ScanResult {
  readonly name: string;
  readonly title: string;
  readonly size: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  readonly series: readonly SeriesResult[];
}
