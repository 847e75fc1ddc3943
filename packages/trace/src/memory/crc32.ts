/** CRC-32 as in IEEE 802.3: to tell whether two runs of bytes are the same without keeping either. */

const REVERSED_POLYNOMIAL = 0xedb8_8320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ ((sum & 1) * REVERSED_POLYNOMIAL);
  return sum;
});

/** @param before the checksum of what is before these bytes, to go on from there */
export function crc32(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
  before = 0,
): number {
  let sum = ~before;
  for (let at = offset; at < offset + length; at += 1) {
    sum = (sum >>> 8) ^ TABLE[(sum ^ bytes[at]!) & 0xff]!;
  }
  return ~sum >>> 0;
}
