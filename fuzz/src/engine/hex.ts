/** Inputs as text: pairs of hexadecimal digits; what follows a `#` in a line, and blanks, are for the reader. */
import { INPUT_MAX } from './input-buffer.ts';

const DIGITS_PER_LINE = 64;

/** @throws Error that says what is wrong with the text */
export function parseHex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (!/^([\da-f]{2})*$/i.test(digits)) throw new Error('not pairs of hexadecimal digits');
  if (digits.length > 2 * INPUT_MAX) throw new Error(`longer than ${INPUT_MAX} bytes`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param remark each of its lines stands above the digits */
export function formatHex(bytes: Uint8Array, remark: string): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const lines = digits.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, 'g')) ?? [];
  return [...remark.split('\n').map((line) => `# ${line}`), ...lines, ''].join('\n');
}
