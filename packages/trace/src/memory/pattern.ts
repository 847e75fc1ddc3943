/** fillPattern: content for disks that looks random, and that anyone can make again from its seed. */

const WORD = 4;

/**
 * Fills bytes with what the pattern has from a position on.
 *
 * @param position in bytes, a multiple of 4
 * @param length in bytes, a multiple of 4
 */
export function fillPattern(
  seed: number,
  position: number,
  target: Uint8Array,
  targetOffset = 0,
  length = target.length - targetOffset,
): void {
  const view = new DataView(target.buffer, target.byteOffset + targetOffset, length);
  const first = position / WORD;
  for (let at = 0; at < length; at += WORD) {
    view.setUint32(at, mix(seed, first + at / WORD), true);
  }
}

/** Each bit of the answer depends on each bit of both. */
function mix(seed: number, index: number): number {
  const high = Math.floor(index / 2 ** 32);
  let word = Math.imul(index ^ seed, 0x9e37_79b1) ^ Math.imul(high + 1, 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 15), 0x2c1b_3c6d);
  word = Math.imul(word ^ (word >>> 12), 0x297a_2d39);
  return (word ^ (word >>> 15)) >>> 0;
}
