/** The Internet checksum of a frame that the driver left incomplete ("Packet Transmission", VIRTIO_NET_HDR_F_NEEDS_CSUM). */

/**
 * Sums the frame from `start` to its end, and stores the ones' complement there. The driver has put the sum of the pseudo
 * header where the checksum goes.
 *
 * @param start `csum_start`, `place` `csum_start` plus `csum_offset`: byte offsets in the frame
 * @returns false when one of the two does not lie within the frame
 */
export function completeChecksum(
  bytes: Uint8Array,
  offset: number,
  length: number,
  start: number,
  place: number,
): boolean {
  if (place + 2 > length) return false;
  const end = offset + length;
  // The upper and the lower bytes of the words apart: both sums stay small integers, which a loop adds fastest.
  let upper = 0;
  let lower = 0;
  let index = offset + start;
  for (; index + 3 < end; index += 4) {
    upper += bytes[index]! + bytes[index + 2]!;
    lower += bytes[index + 1]! + bytes[index + 3]!;
  }
  for (; index < end; index += 2) {
    upper += bytes[index]!;
    if (index + 1 < end) lower += bytes[index + 1]!;
  }
  let sum = upper * 256 + lower;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  // A sum of zero is written as all ones: in UDP, zero stands for no checksum.
  const checksum = ~sum & 0xffff || 0xffff;
  bytes[offset + place] = checksum >>> 8;
  bytes[offset + place + 1] = checksum & 0xff;
  return true;
}
