/** repairTable: makes the head of an ACPI table go with what follows, so that what is made of bytes gets past it. */

const LENGTH = 4;
const CHECKSUM = 9;
const HEADER_SIZE = 36;

/**
 * Signature, length and checksum are put in place.
 *
 * @param signature four letters
 */
export function repairTable(bytes: Uint8Array, signature: string): void {
  if (bytes.length < HEADER_SIZE) return;
  for (let index = 0; index < signature.length; index += 1) {
    bytes[index] = signature.charCodeAt(index);
  }
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(LENGTH, bytes.length, true);
  bytes[CHECKSUM] = 0;
  bytes[CHECKSUM] = -bytes.reduce((sum, byte) => sum + byte, 0);
}
