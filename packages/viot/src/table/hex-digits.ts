/** Bytes as hexadecimal digits and back, for what a table holds without a meaning. */
import { ViotError } from '../viot-error.ts';

export function toDigits(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  return digits;
}

/** @throws ViotError `SYNTAX` */
export function fromDigits(digits: string): Uint8Array {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new ViotError(
      'SYNTAX',
      `'${digits}' are no bytes: write two hexadecimal digits for each`,
    );
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}
