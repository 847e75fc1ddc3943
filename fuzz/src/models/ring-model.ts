/** The contract RingModel: a device's side of a queue as plainly as it can be said. Types and docs only. */

/** Where a queue is and what was negotiated. Every part of it lies in memory and can be accessed. */
export interface RingPlace {
  readonly size: number;
  readonly descriptorArea: number;
  readonly driverArea: number;
  readonly deviceArea: number;
  readonly indirect: boolean;
  readonly eventIdx: boolean;
}

/** What a model reads and is to write; widths are in bytes, values little-endian. */
export interface ModelMemory {
  expected(address: number, width: number): number;
  /** A number above 2^53 - 1 is 2^53 - 1. */
  expected64(address: number): number;
  expect(address: number, value: number, width: number): void;
  holds(address: number, length: number, access: number): boolean;
}

export interface ModelSegment {
  readonly address: number;
  readonly length: number;
  readonly isWritable: boolean;
}

export interface ModelChain {
  readonly head: number;
  readonly segments: readonly ModelSegment[];
}

/** As `Virtqueue`, method by method. */
export interface RingModel {
  readonly broken: boolean;
  pop(): ModelChain | undefined;
  pushUsedTogether(used: readonly { readonly head: number; readonly length: number }[]): void;
  /** undefined where either answer is right. */
  shouldInterrupt(): boolean | undefined;
  disableNotifications(): void;
  enableNotifications(): boolean;
}
