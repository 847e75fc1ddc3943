/** An InspectorUpdate as text and back: JSON, with the bytes of requests as lists of numbers, since JSON has no bytes. */
import type { InspectorUpdate } from './inspector-messages.ts';

/** What JSON makes of it. Bytes anywhere else in an update are an error of types in `encodeUpdate`. */
type Encoded<T> = T extends Uint8Array
  ? readonly number[]
  : T extends object
    ? { readonly [Key in keyof T]: Encoded<T[Key]> }
    : T;

export function encodeUpdate(update: InspectorUpdate): string {
  const requests = update.requests.map((one) => ({ ...one, bytes: Array.from(one.bytes) }));
  const encoded: Encoded<InspectorUpdate> = { ...update, requests };
  return JSON.stringify(encoded);
}

/**
 * @param text of {@link encodeUpdate}, by somebody who is trusted: its form is not checked. What was `undefined` is not there.
 * @throws SyntaxError when it is no JSON
 */
export function decodeUpdate(text: string): InspectorUpdate {
  const encoded = JSON.parse(text) as Encoded<InspectorUpdate>;
  const requests = encoded.requests.map((one) => ({ ...one, bytes: Uint8Array.from(one.bytes) }));
  return { ...encoded, requests };
}
