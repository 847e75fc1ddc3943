/** Reads a trace from a file. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { TraceError, type TraceHeader, TraceReader, type TraceStep } from '@viommu/trace';
import { CommandError, messageOf } from '../command-error.ts';

const NO_GZIP = 'this is no trace, or it is damaged: it is not what gzip makes';

export interface TraceVisitor {
  /** Called once, before all steps. */
  header(header: TraceHeader): void;
  /** @returns whether to go on */
  step(step: TraceStep): boolean;
}

/**
 * @returns whether the recording came to its own end, or the visitor to its; false for a trace that was cut off
 * @throws CommandError when it cannot be read or is damaged, and what the visitor throws
 */
export async function readTrace(path: string, visitor: TraceVisitor): Promise<boolean> {
  const reader = new TraceReader();
  let isStopped = false;
  let isCutOff = false;
  let isHeaderSeen = false;
  const visit = (chunk: Uint8Array): void => {
    for (const step of reader.push(chunk)) {
      if (!isHeaderSeen) visitor.header(reader.header!);
      isHeaderSeen = true;
      if (!visitor.step(step)) {
        isStopped = true;
        return;
      }
    }
  };
  try {
    const bytes = createReadStream(path).on('error', (error) => unpacked.destroy(error));
    const unpacked = bytes.pipe(createGunzip());
    for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
      visit(chunk);
      if (isStopped) break;
    }
  } catch (error) {
    if (error instanceof TraceError || (isSystemError(error) && !isUnexpectedEnd(error))) {
      const problem = 'code' in error && error.code === 'Z_DATA_ERROR' ? NO_GZIP : messageOf(error);
      throw new CommandError(`${path}: ${problem}`, { cause: error });
    }
    if (!isUnexpectedEnd(error)) throw error;
    isCutOff = true;
  }
  if (isStopped) return true;
  try {
    reader.finish();
  } catch (error) {
    throw new CommandError(`${path}: ${messageOf(error)}`, { cause: error });
  }
  if (!isHeaderSeen) visitor.header(reader.header!);
  return reader.isComplete && !isCutOff;
}

/** Whoever recorded was killed: what is there is good as far as it goes. */
function isUnexpectedEnd(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
