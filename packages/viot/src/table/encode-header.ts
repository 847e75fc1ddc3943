/** The header that all ACPI tables begin with, written. */
import { byteSum } from '../checksum.ts';
import { hex } from '../describe.ts';
import { ViotError } from '../viot-error.ts';
import {
  HEADER_CHECKSUM,
  HEADER_CREATOR_ID,
  HEADER_CREATOR_ID_LENGTH,
  HEADER_CREATOR_REVISION,
  HEADER_LENGTH,
  HEADER_OEM_ID,
  HEADER_OEM_ID_LENGTH,
  HEADER_OEM_REVISION,
  HEADER_OEM_TABLE_ID,
  HEADER_OEM_TABLE_ID_LENGTH,
  HEADER_REVISION,
  HEADER_SIGNATURE,
} from './layout.ts';
import type { ViotHeader } from './viot-table.ts';

/**
 * All but the checksum, for a table of the view's length.
 *
 * @throws ViotError `OEM` when a text does not fit, `SYNTAX` when a number does not
 */
export function encodeHeader(view: DataView, signature: string, header: ViotHeader): void {
  encodeText(view, HEADER_SIGNATURE, HEADER_LENGTH, signature);
  view.setUint32(HEADER_LENGTH, view.byteLength, true);
  view.setUint8(HEADER_REVISION, fitting('revision', header.revision, 1));
  encodeText(view, HEADER_OEM_ID, HEADER_OEM_ID_LENGTH, header.oemId);
  encodeText(view, HEADER_OEM_TABLE_ID, HEADER_OEM_TABLE_ID_LENGTH, header.oemTableId);
  view.setUint32(HEADER_OEM_REVISION, fitting('oemRevision', header.oemRevision, 4), true);
  encodeText(view, HEADER_CREATOR_ID, HEADER_CREATOR_ID_LENGTH, header.creatorId);
  const creatorRevision = fitting('creatorRevision', header.creatorRevision, 4);
  view.setUint32(HEADER_CREATOR_REVISION, creatorRevision, true);
}

/** Shorter texts are padded with spaces. */
function encodeText(view: DataView, offset: number, length: number, text: string): void {
  const padded = text.padEnd(length);
  const fits = padded.length === length && [...padded].every((sign) => sign.charCodeAt(0) <= 0xff);
  if (!fits) {
    throw new ViotError('OEM', `'${text}': at most ${length} characters of 8 bits fit here`);
  }
  for (let index = 0; index < length; index++) {
    view.setUint8(offset + index, padded.charCodeAt(index));
  }
}

/** Sets the checksum of a whole table. */
export function seal(bytes: Uint8Array): Uint8Array {
  bytes[HEADER_CHECKSUM] = 0;
  bytes[HEADER_CHECKSUM] = -byteSum(bytes);
  return bytes;
}

/** @throws ViotError `SYNTAX`: the numbers of a table may come from JSON */
export function fitting(name: string, value: number | undefined, size: number): number {
  const limit = size === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * size) - 1;
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > limit) {
    throw new ViotError('SYNTAX', `${name} is ${value}: write an integer from 0 to ${hex(limit)}`);
  }
  return value;
}
