/** The checksum of ACPI tables. */

/** Sum of all bytes modulo 256: 0 for an intact table. */
export function byteSum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum;
}
