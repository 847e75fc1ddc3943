/** Text as bytes in UTF-8 and back. */
import { TraceError } from '../trace-error.ts';

// In Node.js and in browsers alike.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare class TextDecoder {
  constructor(encoding: 'utf-8', options: { fatal: true });
  decode(bytes: Uint8Array): string;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true });

export function encodeText(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** @throws TraceError */
export function decodeText(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new TraceError('the trace is damaged: a text is not UTF-8');
  }
}
