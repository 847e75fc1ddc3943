/** Loads a trace into memory: its header and its steps. */
import { type TraceHeader, TraceReader, type TraceStep } from '@viommu/trace';

export interface LoadedTrace {
  readonly header: TraceHeader;
  readonly steps: readonly TraceStep[];
  readonly isComplete: boolean;
}

/** A page that is given more than this would stand still. */
const STEPS_MAX = 5_000_000;

/**
 * @param bytes as `--record` wrote them
 * @throws Error when it is no trace; a trace that was cut off is good as far as it goes
 */
export async function loadTrace(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<LoadedTrace> {
  const reader = new TraceReader();
  const steps: TraceStep[] = [];
  const chunks = bytes.pipeThrough(new DecompressionStream('gzip')).getReader();
  let isCutOff = false;
  for (;;) {
    const chunk = await chunks.read().catch((error: unknown) => {
      if (reader.header === undefined) {
        throw new Error('this is no trace, or it is damaged: it is not what gzip makes', {
          cause: error,
        });
      }
      isCutOff = true;
    });
    if (chunk?.value === undefined) break;
    for (const step of reader.push(chunk.value)) steps.push(step);
    if (steps.length > STEPS_MAX)
      throw new Error(`the trace has more than ${STEPS_MAX} operations`);
  }
  reader.finish();
  return { header: reader.header!, steps, isComplete: reader.isComplete && !isCutOff };
}
