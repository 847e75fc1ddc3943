/** What a watcher is told as text and back: JSON, with the bytes of requests as lists of numbers, since JSON has no bytes. */
import type { WalkAnswer } from '../walk/translation-walk.ts';
import type { InspectorUpdate } from './inspector-messages.ts';

/** Whoever has asked for a walk is told both, and an update comes before the answers of its moment. */
export type Told = InspectorUpdate | WalkAnswer;

/** What JSON makes of it. Bytes anywhere else in an update are an error of types in `encodeTold`. */
type Encoded<T> = T extends Uint8Array
  ? readonly number[]
  : T extends object
    ? { readonly [Key in keyof T]: Encoded<T[Key]> }
    : T;

export function isAnswer(told: Told | Encoded<Told>): told is WalkAnswer {
  return 'query' in told;
}

export function encodeTold(told: Told): string {
  if (isAnswer(told)) return JSON.stringify(told);
  const requests = told.requests.map((one) => ({ ...one, bytes: Array.from(one.bytes) }));
  const encoded: Encoded<InspectorUpdate> = { ...told, requests };
  return JSON.stringify(encoded);
}

/**
 * @param text of {@link encodeTold}, by somebody who is trusted: its form is not checked. What was `undefined` is not there.
 * @throws SyntaxError when it is no JSON
 */
export function decodeTold(text: string): Told {
  const encoded = JSON.parse(text) as Encoded<Told>;
  if (isAnswer(encoded)) return encoded;
  const requests = encoded.requests.map((one) => ({ ...one, bytes: Uint8Array.from(one.bytes) }));
  return { ...encoded, requests };
}
