/** Values for the fields of descriptors, chosen by few bytes of an input: near what is legal, and at the ends of types. */
import type { InputReader } from '../../engine/input-reader.ts';

/** Bytes below it are values themselves. */
const DIRECT = 0xc0;

/** A le64 by its halves: the target writes many, and a bigint takes 100 ns to take apart. */
export interface Le64 {
  readonly low: number;
  readonly high: number;
}

const ADDRESSES: readonly Le64[] = [
  0n,
  0x3000n,
  0x3ff0n,
  0x4000n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 52n,
  2n ** 53n - 0x4000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 64n - 1n,
].map((value) => ({ low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) }));
const NEAR_ADDRESSES: readonly Le64[] = Array.from({ length: DIRECT }, (_, code) =>
  le64(code * 16),
);
/** Buffers that take the whole queue are offered up to this size of it. */
const WHOLE_MAX = 128;
const FEW = 4;

/** A length in bytes, for descriptors of a queue of `size`. */
export function readLength(input: InputReader, size: number): number {
  const code = input.byte();
  if (code < DIRECT) return code;
  switch (code % 12) {
    case 0:
      return 0;
    case 1:
      return 16 * size;
    case 2:
      return 16 * size + 16;
    case 3:
      return 16 * size - 16;
    case 4:
      return 0xffff_ffff;
    case 5:
      return 0x8000_0000;
    case 6:
      return 0x7fff_ffff;
    case 7:
      return 0xffff_fff0;
    case 8:
      return 0x1_0000;
    default:
      return input.word32();
  }
}

export function readAddress(input: InputReader): Le64 {
  const code = input.byte();
  if (code < DIRECT) return NEAR_ADDRESSES[code]!;
  if (code === 0xff) return { low: input.word32(), high: input.word32() };
  return ADDRESSES[code % ADDRESSES.length]!;
}

/** @param address up to 2^53 - 1 */
export function le64(address: number): Le64 {
  return { low: address % 2 ** 32, high: Math.floor(address / 2 ** 32) };
}

/** An index, an ID or a count, for a queue of `size`. */
export function readIndex(input: InputReader, size: number): number {
  const code = input.byte();
  if (code < DIRECT) return code % size;
  switch (code % 8) {
    case 0:
      return size;
    case 1:
      return size - 1;
    case 2:
      return size + 1;
    case 3:
      return 0xffff;
    case 4:
      return 0x8000;
    case 5:
      return 0x7fff;
    case 6:
      return 0;
    default:
      return input.word16();
  }
}

/** The shape of a buffer that a driver may make available. */
export interface BufferShape {
  readonly count: number;
  readonly readable: number;
  readonly isIndirect: boolean;
  /** The last of its descriptors refers to a table, in a split virtqueue. */
  readonly isMixed: boolean;
}

export function readShape(input: InputReader, size: number): BufferShape {
  const code = input.byte();
  const isWhole = (code & 0x38) === 0x38 && size <= WHOLE_MAX;
  const count = isWhole ? size : Math.min(1 + (code % FEW), size);
  const readable = (code >> 2) % (count + 1);
  const kind = size <= WHOLE_MAX ? code & 0xc0 : 0;
  return { count, readable, isIndirect: kind === 0xc0, isMixed: kind === 0x80 };
}
