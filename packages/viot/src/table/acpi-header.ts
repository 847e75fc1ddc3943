/** The header that all ACPI tables begin with: read and checked. */
import { byteSum } from '../checksum.ts';
import { ViotError } from '../viot-error.ts';
import { HEADER_LENGTH, HEADER_SIGNATURE } from './layout.ts';

const ACPI_HEADER_SIZE = 36;

/** The signature of a table, whatever it is; shorter when there are not even four bytes. */
export function signatureOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(HEADER_SIGNATURE, HEADER_LENGTH));
}

/**
 * The table as its header bounds it.
 *
 * @param size the least that such a table has
 * @throws ViotError `LENGTH`, `SIGNATURE`, `CHECKSUM`
 */
export function openTable(bytes: Uint8Array, signature: string, size = ACPI_HEADER_SIZE): DataView {
  const view = boundedTable(bytes, signature, size);
  const sum = byteSum(bytes.subarray(0, view.byteLength));
  if (sum !== 0) {
    throw new ViotError('CHECKSUM', `the table is damaged: its bytes sum up to ${sum}, not 0`, 0);
  }
  return view;
}

/**
 * As {@link openTable}, whatever the bytes sum up to.
 *
 * @throws ViotError `LENGTH`, `SIGNATURE`
 */
export function boundedTable(bytes: Uint8Array, signature: string, size: number): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < size) {
    throw new ViotError('LENGTH', `${bytes.length} bytes: a ${signature} has at least ${size}`, 0);
  }
  if (signatureOf(bytes) !== signature) {
    throw new ViotError(
      'SIGNATURE',
      `the table is a ${JSON.stringify(signatureOf(bytes))}, no ${signature}`,
      HEADER_SIGNATURE,
    );
  }
  const length = view.getUint32(HEADER_LENGTH, true);
  if (length < size || length > bytes.length) {
    throw new ViotError(
      'LENGTH',
      `the table says ${length} bytes; ${bytes.length} were given, and ${size} is the least`,
      HEADER_LENGTH,
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}
