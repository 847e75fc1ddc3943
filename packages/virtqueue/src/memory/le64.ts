/** 64-bit little-endian fields as numbers; the only file that knows where a double stops being exact. */

const TWO_TO_32 = 2 ** 32;
const LARGEST_HIGH_WORD = 0x1f_ffff;

/** Reads a le64. A value above 2^53 - 1 reads as 2^53 - 1, which is beyond every legal address. */
export function readLe64(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  if (high > LARGEST_HIGH_WORD) return Number.MAX_SAFE_INTEGER;
  return high * TWO_TO_32 + view.getUint32(offset, true);
}

/** Writes a le64. @param value an integer from 0 to 2^53 - 1 */
export function writeLe64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / TWO_TO_32), true);
}

/** A le64 from its halves, saturating as {@link readLe64} does. */
export function joinLe64(low: number, high: number): number {
  if (high > LARGEST_HIGH_WORD) return Number.MAX_SAFE_INTEGER;
  return high * TWO_TO_32 + low;
}
