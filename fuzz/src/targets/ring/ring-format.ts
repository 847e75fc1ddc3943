/** The contract RingFormat: what the targets `split` and `packed` do not share. Types and docs only. */
import type { Virtqueue, VirtqueueOptions } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import type { GuestArena } from '../../memory/guest-arena.ts';
import type { ModelMemory, RingModel, RingPlace } from '../../models/ring-model.ts';

/** The queue under test. */
export interface RetiringQueue extends Virtqueue {
  retire(): void;
}

/** A part of the ring, from its address on. */
interface PartRule {
  length(size: number): number;
  /** The device writes into it. */
  readonly isWritten: boolean;
  /** Its address must be a multiple of it. */
  readonly alignment: number;
}

export interface RingFormat {
  /** Legal ones and others; an input chooses by index. */
  readonly sizes: readonly number[];
  isLegalSize(size: number): boolean;
  /** The descriptor area, the driver area, the device area. */
  readonly parts: readonly [PartRule, PartRule, PartRule];
  createQueue(options: VirtqueueOptions): RetiringQueue;
  createModel(memory: ModelMemory, place: RingPlace): RingModel;
  createWriter(arena: GuestArena, place: RingPlace, tables: number): RingWriter;
}

/** The driver, which writes what it likes. */
export interface RingWriter {
  /** Makes a buffer available as a driver does that means well. */
  offer(input: InputReader): void;
  /** Changes one field to something. */
  disturb(input: InputReader): void;
}
