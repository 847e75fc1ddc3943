/** Mutators: each makes a small change of the input in place. They know nothing of what the bytes mean. */
import { INPUT_MAX, type InputBuffer } from './input-buffer.ts';
import type { Random } from './random.ts';

type Mutator = (input: InputBuffer, random: Random, other: Uint8Array) => void;

/** Where sizes, indices, addresses and their types end. */
const INTERESTING = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x1_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  2n ** 52n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
].map((value) => new Uint8Array(new BigUint64Array([value]).buffer));
const WIDTHS = [1, 2, 4, 8];
/** Of what is inserted, deleted and copied at once, in bytes. */
const CHUNK_MAX = 32;
const STEP_MAX = 16;
/** Mutations of one input at most. */
const STACKED_MAX = 8;

function flipBit(input: InputBuffer, random: Random): void {
  const at = random.below(input.length);
  input.bytes[at]! ^= 1 << random.below(8);
}

function setByte(input: InputBuffer, random: Random): void {
  input.bytes[random.below(input.length)] = random.next();
}

function step(input: InputBuffer, random: Random): void {
  const at = random.below(input.length);
  input.bytes[at]! += 1 + random.below(STEP_MAX) - random.below(2) * (STEP_MAX + 1);
}

function setInteresting(input: InputBuffer, random: Random): void {
  const value = INTERESTING[random.below(INTERESTING.length)]!;
  const width = WIDTHS[random.below(WIDTHS.length)]!;
  const at = random.below(input.length);
  for (let byte = 0; byte < width && at + byte < input.length; byte += 1) {
    input.bytes[at + byte] = value[byte]!;
  }
}

function remove(input: InputBuffer, random: Random): void {
  const at = random.below(input.length);
  const count = Math.min(1 + random.below(CHUNK_MAX), input.length - at);
  input.bytes.copyWithin(at, at + count, input.length);
  input.length -= count;
}

function insert(input: InputBuffer, random: Random): void {
  const at = random.below(input.length + 1);
  const count = makeRoom(input, at, 1 + random.below(CHUNK_MAX));
  for (let byte = 0; byte < count; byte += 1) input.bytes[at + byte] = random.next();
}

function duplicate(input: InputBuffer, random: Random): void {
  const from = random.below(input.length);
  const wanted = Math.min(1 + random.below(CHUNK_MAX), input.length - from);
  const at = from + wanted;
  const count = makeRoom(input, at, wanted);
  input.bytes.copyWithin(at, from, from + count);
}

/** Some of another input, in place of what is there. */
function overwrite(input: InputBuffer, random: Random, other: Uint8Array): void {
  const from = random.below(other.length);
  const at = random.below(input.length);
  const count = Math.min(1 + random.below(CHUNK_MAX), other.length - from, input.length - at);
  for (let byte = 0; byte < count; byte += 1) input.bytes[at + byte] = other[from + byte]!;
}

/** Goes on as another input does. */
function splice(input: InputBuffer, random: Random, other: Uint8Array): void {
  const from = random.below(other.length);
  const at = random.below(input.length + 1);
  const tail = other.subarray(from, from + INPUT_MAX - at);
  input.bytes.set(tail, at);
  input.length = at + tail.length;
}

/** Moves what is behind `at` further back. @returns for how many bytes there was room */
function makeRoom(input: InputBuffer, at: number, wanted: number): number {
  const count = Math.min(wanted, INPUT_MAX - input.length);
  input.bytes.copyWithin(at + count, at, input.length);
  input.length += count;
  return count;
}

export const MUTATORS: readonly Mutator[] = [
  flipBit,
  setByte,
  step,
  setInteresting,
  remove,
  insert,
  duplicate,
  overwrite,
  splice,
];

/** @param other another input, not empty */
export function mutate(input: InputBuffer, random: Random, other: Uint8Array): void {
  for (let left = 1 + random.below(STACKED_MAX); left > 0; left -= 1) {
    if (input.length === 0) insert(input, random);
    else MUTATORS[random.below(MUTATORS.length)]!(input, random, other);
  }
}
