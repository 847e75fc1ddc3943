/** Values and widths of register accesses, chosen by few bytes of an input. */
import type { AccessWidth } from '@viommu/virtqueue';
import type { InputReader } from '../../engine/input-reader.ts';
import { violated } from '../../engine/invariant.ts';
import { MEMORY_LENGTH } from '../../machines/machine.ts';
import { SEEN_AT } from '../../machines/stages.ts';

const VALUES = [
  0,
  1,
  2,
  3,
  4,
  7,
  0xb,
  0xf,
  0x80,
  0xff,
  0x400,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xc000_0000,
  0xffff_ffff,
  // Where the rings lie.
  0x1000,
  0x3000,
  SEEN_AT + 0x3000,
  SEEN_AT + 0x3800,
  MEMORY_LENGTH,
];
const WIDTHS: readonly AccessWidth[] = [1, 2, 4];
const DIRECT = 0x60;

/** @param code two bits of it count: an access that is mostly as wide as `natural` */
export function readWidth(code: number, natural: AccessWidth): AccessWidth {
  return code % 4 === 3 ? WIDTHS[(code >> 2) % WIDTHS.length]! : natural;
}

/** As much as `width` holds of one of the values. */
export function readValue(input: InputReader, width: AccessWidth): number {
  const code = input.byte();
  if (code < DIRECT) return code;
  const value = code >= 0xe0 ? input.word32() : VALUES[code % VALUES.length]!;
  return value % 2 ** (8 * width);
}

/** What was read is a whole number of that width. */
export function checkWidth(value: number, width: AccessWidth, where: string): void {
  const isWithin = Number.isInteger(value) && value >= 0 && value < 2 ** (8 * width);
  if (!isWithin) violated(`${value} is read of ${width} bytes at ${where}`);
}

/** How far a driver has got, in 3 bits: DRIVER_OK, FEATURES_OK, DEVICE_NEEDS_RESET. */
export function statusOutcome(status: number): number {
  return ((status >> 2) & 3) | (((status >> 6) & 1) << 2);
}
