/** TraceTarget: bytes as a trace, whole or behind a header that is good, read in pieces and replayed on a fresh machine. */
import { type MachineDescription, standardMachine } from '@viommu/machine';
import {
  ReplayMachine,
  TraceDivergence,
  TraceError,
  type TraceHeader,
  TraceReader,
} from '@viommu/trace';
import { VirtioError } from '@viommu/virtqueue';
import { violated } from '../../engine/invariant.ts';
import type { FuzzTarget } from '../../engine/target.ts';
import { traceStart } from './trace-start.ts';

/** By the first byte: whether the header is in the input, and what machine the good header has. */
const [WHOLE, PACKED] = [1, 2];
/** Bytes that a replay may keep: a trace of some hundred bytes has no business with more. */
const MEMORY_LIMIT = 1 << 22;
const SHORTEST_PIECE = 16;

export class TraceTarget implements FuzzTarget {
  readonly #starts = [false, true].map((packed) => traceStart(machine(packed)));

  /** The first byte says what the others are, the second how long the pieces are that they come in. */
  run(input: Uint8Array): number {
    const [code = 0, piece = 0] = input;
    const bytes = input.subarray(2);
    const start = (code & WHOLE) === 0 ? this.#starts[(code & PACKED) / PACKED]! : undefined;
    const reader = new TraceReader();
    let steps = 0;
    let end = 0;
    try {
      let replay: ReplayMachine | undefined;
      for (const chunk of piecesOf(start, bytes, piece + SHORTEST_PIECE)) {
        for (const step of reader.push(chunk)) {
          if (step.index !== steps) violated(`step ${step.index} comes as number ${steps}`);
          replay ??= replayOf(reader.header!);
          replay.apply(step);
          steps += 1;
        }
      }
      reader.finish();
    } catch (error) {
      end = endOf(error);
    }
    return (Math.min(steps, 63) << 4) | (reader.isComplete ? 8 : 0) | end;
  }
}

function machine(packed: boolean): MachineDescription {
  return standardMachine({ disks: ['disk'], engine: true, packed });
}

function* piecesOf(start: Uint8Array | undefined, bytes: Uint8Array, length: number) {
  if (start !== undefined) yield start;
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function replayOf(header: TraceHeader): ReplayMachine {
  return new ReplayMachine(header, {}, { memoryLimit: MEMORY_LIMIT });
}

/** What may be wrong with a trace; everything else is wrong with the code. */
function endOf(error: unknown): number {
  if (error instanceof TraceDivergence) return 1;
  if (error instanceof TraceError) return 2;
  if (error instanceof VirtioError) return 3;
  throw error;
}
